/**
 * What a customer starts from before the first installation: the manifest's preselection, as the server would fill it
 * in (`installations/install.py`), so that nothing looks changed that nobody changed.
 */

import { preselected, writeSpelledOut } from './applying.js';
import type { Manifest, ReadObjectDeclared } from './applying.js';
import { own } from './records.js';
import type { ConfigContent, DynamicMapping, ReadObjectConfig } from './shapes.js';

export type Offers = Readonly<Record<string, DynamicMapping[]>>;

/**
 * Every object is on, but those of which nothing would be read until somebody chooses: unless that leaves nothing on.
 */
export function firstContent(manifest: Manifest, offers: Offers): ConfigContent {
  const objects = (manifest.read?.objects ?? []).map((declared) => ({
    declared,
    config: firstReadObject(declared, own(offers, declared.objectName) ?? []),
  }));
  const asks = objects.filter(({ declared, config }) => startsOn(declared, config));
  const on = asks.length > 0 || manifest.write !== undefined ? asks : objects;
  const read = { objects: Object.fromEntries(on.map(({ config }) => [config.objectName, config])) };
  return writeSpelledOut(manifest, {
    provider: manifest.provider,
    ...(manifest.read === undefined ? {} : { read }),
    ...(manifest.proxy?.enabled ? { proxy: { enabled: true } } : {}),
  });
}

function firstReadObject(declared: ReadObjectDeclared, offered: DynamicMapping[]): ReadObjectConfig {
  const required = (declared.requiredFields ?? []).flatMap(({ fieldName }) => (fieldName ? [[fieldName, true]] : []));
  return {
    objectName: declared.objectName,
    selectedFields: Object.fromEntries(required) as Record<string, boolean>,
    selectedFieldMappings: preselected(declared),
    ...(offered.length > 0 ? { dynamicMappingsInput: offered } : {}),
  };
}

function startsOn(declared: ReadObjectDeclared, config: ReadObjectConfig): boolean {
  // What a page offers is not chosen yet: an object of which nothing is read cannot be saved.
  return (declared.requiredFields ?? []).length > 0 || Object.keys(config.selectedFieldMappings ?? {}).length > 0;
}
