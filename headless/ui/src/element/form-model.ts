/**
 * What there is to configure: one page for each object of the manifest, whether it is read, written or both, with the
 * mappings that the manifest and the host page ask for. It knows nothing of the screen.
 */

import type { Fields } from '../contract.js';
import type {
  ConfigContent, DynamicMapping, HydratedField, HydratedReadObject, HydratedRevision, HydratedWriteObject, MappedValue,
  ReadObjectConfig, WriteObjectConfig,
} from '../shapes.js';
import type { Action } from '../edits.js';
import { own } from '../records.js';

/** A name of the product that stands, or shall stand, for a field of the account. */
export interface Mapping {
  /** The product's name; absent where only values are mapped. */
  name?: string;
  title: string;
  prompt?: string;
  action: Action;
  required: boolean;
  /** The field, where the manifest or the host page has chosen it. */
  fixed?: string;
  /** A fixed mapping that counts only while its field is selected. */
  optional?: boolean;
  /** The product's own values, to be mapped as well. */
  values?: MappedValue[];
}

/** One object of the account. */
export interface Page {
  name: string;
  title: string;
  read?: HydratedReadObject;
  write?: HydratedWriteObject;
  fields: Fields;
  mappings: Mapping[];
  error?: string;
}

const NO_FIELDS: Fields = Object.freeze({});

export function pagesOf(manifest: HydratedRevision | undefined, offered: Record<string,
  DynamicMapping[]> = {}): Page[] {
  const content = manifest?.content;
  const writes = new Map((content?.write?.objects ?? []).map((each) => [each.objectName, each]));
  const reads = new Map((content?.read?.objects ?? []).map((each) => [each.objectName, each]));
  const names = new Set([...reads.keys(), ...writes.keys()]);
  return [...names].map((name) => pageOf(name, reads.get(name), writes.get(name), own(offered, name)));
}

function pageOf(
  name: string,
  read: HydratedReadObject | undefined,
  write: HydratedWriteObject | undefined,
  offered: DynamicMapping[] = [],
): Page {
  const error = read?.error ?? write?.error;
  return {
    name,
    title: read?.displayName || write?.displayName || name,
    ...(read && { read }),
    ...(write && { write }),
    ...(error !== undefined && { error }),
    fields: read?.allFieldsMetadata ?? write?.allFieldsMetadata ?? NO_FIELDS,
    mappings: mappingsOf(read, write, offered),
  };
}

function mappingsOf(
  read: HydratedReadObject | undefined,
  write: HydratedWriteObject | undefined,
  offered: DynamicMapping[],
): Mapping[] {
  const declared = [
    ...(read?.requiredFields ?? []).map((field) => mapping(field, 'read', true)),
    ...(read?.optionalFields ?? []).map((field) => mapping(field, 'read', false)),
    ...(write?.fieldMappings ?? []).map((field) => mapping(field, 'write', false)),
  ].filter((each) => each !== undefined);
  for (const offer of offered) {
    const same = declared.find((each) => each.name !== undefined && each.name === offer.mapToName);
    if (same) Object.assign(same, offer.mappedValues && { values: offer.mappedValues });
    else declared.push(dynamic(offer, read ? 'read' : 'write'));
  }
  return declared;
}

function mapping(field: HydratedField, action: Action, required: boolean): Mapping | undefined {
  if (field.mapToName === undefined) return undefined;
  return {
    name: field.mapToName,
    title: field.mapToDisplayName || field.mapToName,
    ...(field.prompt && { prompt: field.prompt }),
    action,
    required: required && field.fieldName === undefined,
    ...(field.fieldName !== undefined && { fixed: field.fieldName, optional: action === 'read' && !required }),
  };
}

function dynamic(offer: DynamicMapping, action: Action): Mapping {
  return {
    ...(offer.mapToName !== undefined && { name: offer.mapToName }),
    title: offer.mapToDisplayName || offer.mapToName || offer.fieldName || '',
    ...(offer.prompt && { prompt: offer.prompt }),
    action,
    required: false,
    ...(offer.fieldName !== undefined && { fixed: offer.fieldName }),
    ...(offer.mappedValues && { values: offer.mappedValues }),
  };
}

export function readOf(content: ConfigContent, name: string): ReadObjectConfig | undefined {
  return own(content.read?.objects, name);
}

/** Without `write`, every write object of the manifest is on. */
export function writeOf(content: ConfigContent, name: string): WriteObjectConfig | undefined {
  return content.write === undefined ? plain(name) : own(content.write.objects, name);
}

const PLAIN = new Map<string, WriteObjectConfig>();

/** An object that is on and of which nothing is said: one value for it, so that nothing is drawn again. */
function plain(objectName: string): WriteObjectConfig {
  let found = PLAIN.get(objectName);
  if (found === undefined) PLAIN.set(objectName, (found = { objectName }));
  return found;
}

export function reads(page: Page, read: ReadObjectConfig | undefined): boolean {
  return page.read !== undefined && (isAlways(page) || (read !== undefined && !read.disabled));
}

/** The manifest reads this object for every customer. */
export function isAlways(page: Page): boolean {
  return page.read?.['enabled'] === 'always';
}

/** The field that stands behind a mapping now. */
export function chosenField(
  mapping: Mapping,
  read: ReadObjectConfig | undefined,
  write: WriteObjectConfig | undefined,
): string | undefined {
  if (mapping.fixed !== undefined) return mapping.fixed;
  const block = mapping.action === 'read' ? read : write;
  return own(block?.selectedFieldMappings, mapping.name ?? '') || undefined;
}

/** Whether a mapping counts now: a predefined one of an optional field only while that field is read. */
export function counts(mapping: Mapping, read: ReadObjectConfig | undefined): boolean {
  if (!mapping.optional) return true;
  return read?.selectedFieldsAuto === 'all' || own(read?.selectedFields, mapping.fixed ?? '') === true;
}

/** Whether writes answer to the names of the read object. */
export function inherits(page: Page, write: WriteObjectConfig | undefined): boolean {
  return page.read !== undefined && (write?.inheritMapping ?? page.write?.inheritMapping ?? false);
}
