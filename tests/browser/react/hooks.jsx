// A product that draws its own form: every headless hook of the published library, in `window.hooks` after each render.

import React, { useContext } from 'react';
import {
  AmpersandContext,
  AmpersandErrorBoundary,
  FieldSettingWriteOnCreateEnum,
  FieldSettingWriteOnUpdateEnum,
  InstallationProvider,
  useAmpersandProviderProps,
  useConfig,
  useConnection,
  useCreateInstallation,
  useDeleteInstallation,
  useInstallation,
  useIsIntegrationInstalled,
  useLocalConfig,
  useManifest,
  useUpdateInstallation,
} from '@amp-labs/react';

const enums = { create: FieldSettingWriteOnCreateEnum, update: FieldSettingWriteOnUpdateEnum };

function Hooks({ integration, person }) {
  window.hooks = {
    enums,
    context: useContext(AmpersandContext),
    props: useAmpersandProviderProps(),
    connection: useConnection(),
    manifest: useManifest(),
    installation: useInstallation(),
    local: useLocalConfig(),
    legacy: useConfig(),
    create: useCreateInstallation(),
    update: useUpdateInstallation(),
    remove: useDeleteInstallation(),
    installed: useIsIntegrationInstalled(integration, person.groupRef, person.consumerRef),
  };
  return <pre>{JSON.stringify(window.hooks.local.draft, null, 2)}</pre>;
}

/** Make a promise of an act of the library: what it answers, or what it says of its failure. */
window.done = (act) => new Promise((resolve) => {
  act({ onSuccess: resolve, onError: (error) => resolve({ error: String(error) }) });
});

function Broken() {
  throw new Error('broken on purpose');
}

export function Headless({ integration, person }) {
  return (
    <InstallationProvider integration={integration} {...person}>
      <Hooks integration={integration} person={person} />
      <AmpersandErrorBoundary fallback={<p>This part is broken, and the page stands.</p>}>
        <Broken />
      </AmpersandErrorBoundary>
    </InstallationProvider>
  );
}
