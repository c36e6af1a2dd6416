// A product that embeds the published React library as its documentation says. The test calls `start`.

import React from 'react';
import { createRoot } from 'react-dom/client';
import '@amp-labs/react/styles';
import { AmpersandProvider, ConnectProvider, InstallIntegration } from '@amp-labs/react';

window.connected = [];
window.installed = [];

window.start = ({ key, project, provider, integration, person }) => {
  const inside = provider
    ? <ConnectProvider provider={provider} {...person} onConnectSuccess={(made) => window.connected.push(made)} />
    : <InstallIntegration integration={integration} {...person} onInstallSuccess={(id) => window.installed.push(id)} />;
  const page = <AmpersandProvider options={{ apiKey: key, project }}>{inside}</AmpersandProvider>;
  createRoot(document.getElementById('root')).render(page);
};
