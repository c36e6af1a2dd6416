// A product that embeds the published React library as its documentation says. The test calls `start`, once for a page.

import React from 'react';
import { createRoot } from 'react-dom/client';
import '@amp-labs/react/styles';
import { AmpersandProvider, ConnectProvider, InstallIntegration } from '@amp-labs/react';
import { Headless } from './hooks.jsx';

/** What the library told the product: a list for each callback. */
window.told = { connected: [], disconnected: [], installed: [], updated: [], uninstalled: [], asked: [] };

const tells = (name) => (...what) => window.told[name].push(what.length > 1 ? what : what[0]);

function Inside({ provider, integration, headless, person, fieldMapping }) {
  if (provider) {
    return (
      <ConnectProvider
        provider={provider}
        {...person}
        onConnectSuccess={tells('connected')}
        onDisconnectSuccess={tells('disconnected')}
      />
    );
  }
  if (headless) {
    return <Headless integration={integration} person={person} />;
  }
  return (
    <InstallIntegration
      integration={integration}
      {...person}
      fieldMapping={fieldMapping}
      onInstallSuccess={tells('installed')}
      onUpdateSuccess={tells('updated')}
      onUninstallSuccess={tells('uninstalled')}
    />
  );
}

window.start = ({ key, token, project, ...what }) => {
  const getToken = async (who) => {
    window.told.asked.push(who);
    return token;
  };
  const options = token ? { project, getToken } : { project, apiKey: key };
  const page = <AmpersandProvider options={options}><Inside {...what} /></AmpersandProvider>;
  createRoot(document.getElementById('root')).render(page);
};
