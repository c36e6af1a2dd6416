/**
 * What each edit does to a config, in the browser: the twin of `headless/applying.py`, held to it by the one table
 * `tests/headless/edits.json`. Contents are never changed in place.
 */

import type { Action, Edit } from './edits.js';
import { own, withEntry, withoutEntry } from './records.js';
import { Refusal } from './refusal.js';
import type {
  ConfigContent, FieldSettings, HydratedField, Issue, ReadObjectConfig, WriteObjectConfig,
} from './shapes.js';

/** What an edit needs to know of a manifest; a hydrated one says it, and so does a plain one. */
export interface Manifest {
  provider: string;
  read?: { objects: readonly ReadObjectDeclared[] };
  write?: { objects: readonly { objectName: string }[] };
  proxy?: { enabled: boolean };
}

export interface ReadObjectDeclared {
  objectName: string;
  requiredFields?: readonly HydratedField[];
  optionalFields?: readonly HydratedField[];
}

type ObjectEdit = Extract<Edit, { objectName: string }>;
type ReadEdit = Extract<ObjectEdit, { edit: `${string}Read` | 'selectField' | 'selectAllFields' | 'offerMappings' }>;
type EitherEdit = Extract<ObjectEdit, { edit: 'mapField' | 'unmapField' | 'mapValues' }>;
type SettingEdit = Extract<ObjectEdit, { edit: 'setFieldSettings' | 'setDefault' | `setWriteOn${string}` }>;
type WriteEdit = Exclude<ObjectEdit, ReadEdit | EitherEdit | { edit: 'removeObject' }>;

const READ = new Set<string>(['enableRead', 'disableRead', 'selectField', 'selectAllFields', 'offerMappings']);
const EITHER = new Set<string>(['mapField', 'unmapField', 'mapValues']);
const MEMBERS = {
  setDefault: 'default', setWriteOnCreate: 'writeOnCreate', setWriteOnUpdate: 'writeOnUpdate',
} as const;

/**
 * Make the edits, one after the other. Throws a `Refusal` that lists every edit that names what neither the manifest
 * nor the config has (`edits[3].objectName`); then nothing is made.
 */
export function applyEdits(manifest: Manifest, content: ConfigContent, edits: readonly Edit[]): ConfigContent {
  const issues: Issue[] = [];
  let made = content;
  edits.forEach((edit, index) => {
    const issue = issueOf(manifest, made, edit, `edits[${index}]`);
    if (issue === undefined) made = applied(manifest, made, edit);
    else issues.push(issue);
  });
  if (issues.length > 0) throw new Refusal('invalid', issues.map((each) => each.message).join('; '), undefined, issues);
  return made;
}

/** List the write objects that are on because nothing is said; else to change one would switch the others off. */
export function writeSpelledOut(manifest: Manifest, content: ConfigContent): ConfigContent {
  if (content.write !== undefined || manifest.write === undefined) return content;
  const objects = manifest.write.objects.map(({ objectName }) => [objectName, { objectName }]);
  return { ...content, write: { objects: Object.fromEntries(objects) as Record<string, WriteObjectConfig> } };
}

/** The mappings that the manifest preselects, which the customer may change. */
export function preselected(declared: ReadObjectDeclared | undefined): Record<string, string> {
  const fields = [...(declared?.requiredFields ?? []), ...(declared?.optionalFields ?? [])];
  return Object.fromEntries(fields.flatMap((each) =>
    each.mapToName && each.default && !each.fieldName ? [[each.mapToName, each.default]] : []));
}

function issueOf(manifest: Manifest, content: ConfigContent, edit: Edit, path: string): Issue | undefined {
  if (!('objectName' in edit)) {
    if (edit.edit === 'disableProxy' || manifest.proxy?.enabled) return undefined;
    return { path, code: 'not-in-manifest', severity: 'error', message: 'the integration does not offer proxy calls' };
  }
  const actions = actionsOf(edit);
  if (actions.some((action) => isKnown(manifest, content, action, edit.objectName))) return undefined;
  const message = `'${edit.objectName}' is no object that this integration can ${actions.join(' or ')}`;
  return { path: `${path}.objectName`, code: 'not-in-manifest', severity: 'error', message };
}

/** An object of the manifest, or one that the customer still has from an earlier manifest. */
function isKnown(manifest: Manifest, content: ConfigContent, action: Action, name: string): boolean {
  const declared: readonly { objectName: string }[] = manifest[action]?.objects ?? [];
  return declared.some((each) => each.objectName === name) || Object.hasOwn(content[action]?.objects ?? {}, name);
}

function actionsOf(edit: ObjectEdit): readonly Action[] {
  if (edit.edit === 'removeObject') return ['read', 'write'];
  if (isEither(edit)) return [edit.action ?? 'read'];
  return READ.has(edit.edit) ? ['read'] : ['write'];
}

function isEither(edit: ObjectEdit): edit is EitherEdit {
  return EITHER.has(edit.edit);
}

function applied(manifest: Manifest, content: ConfigContent, edit: Edit): ConfigContent {
  if (!('objectName' in edit)) return { ...content, proxy: { enabled: edit.edit === 'enableProxy' } };
  const actions = actionsOf(edit);
  const spelled = actions.includes('write') ? writeSpelledOut(manifest, content) : content;
  if (edit.edit === 'removeObject' || edit.edit === 'disableWrite') {
    return actions.reduce((left, action) => removed(left, action, edit.objectName), spelled);
  }
  return actions.includes('read')
    ? readChanged(manifest, content, edit as ReadEdit | EitherEdit)
    : writeChanged(spelled, edit as WriteEdit | EitherEdit);
}

function removed(content: ConfigContent, action: Action, name: string): ConfigContent {
  const section = content[action];
  if (section === undefined || !Object.hasOwn(section.objects, name)) return content;
  return { ...content, [action]: { ...section, objects: withoutEntry<unknown>(section.objects, name) } };
}

function readChanged(manifest: Manifest, content: ConfigContent, edit: ReadEdit | EitherEdit): ConfigContent {
  const objects = content.read?.objects;
  const name = edit.objectName;
  const found = own(objects, name);
  if (found === undefined && takesAway(edit)) return content;
  const changed = readObject(found ?? begun(manifest, name), edit);
  return { ...content, read: { ...content.read, objects: withEntry(objects, name, changed) } };
}

function begun(manifest: Manifest, objectName: string): ReadObjectConfig {
  const declared = manifest.read?.objects.find((each) => each.objectName === objectName);
  return { objectName, selectedFields: {}, selectedFieldMappings: preselected(declared) };
}

function writeChanged(content: ConfigContent, edit: WriteEdit | EitherEdit): ConfigContent {
  const objects = content.write?.objects;
  const name = edit.objectName;
  const found = own(objects, name);
  if (found === undefined && takesAway(edit)) return content;
  const changed = writeObject(found ?? { objectName: name }, edit);
  return { ...content, write: { ...content.write, objects: withEntry(objects, name, changed) } };
}

/** An edit that switches nothing on means nothing to an object that is off. */
function takesAway(edit: ReadEdit | EitherEdit | WriteEdit): boolean {
  if ('selected' in edit) return !edit.selected;
  if ('settings' in edit) return edit.settings === null;
  if ('value' in edit) return edit.value === null;
  if ('inherit' in edit) return edit.inherit === null;
  if ('remove' in edit) return edit.remove === null;
  if ('values' in edit) return orNothing(edit.values) === undefined;
  if ('mappings' in edit) return edit.mappings.length === 0;
  return edit.edit === 'unmapField' || edit.edit === 'disableDeletion';
}

function readObject(found: ReadObjectConfig, edit: ReadEdit | EitherEdit): ReadObjectConfig {
  switch (edit.edit) {
    case 'enableRead':
    case 'disableRead':
      return { ...found, disabled: edit.edit === 'disableRead' };
    case 'selectField':
      return { ...found, selectedFields: set(found.selectedFields, edit.fieldName, edit.selected || undefined) };
    case 'selectAllFields':
      return saying(found, 'selectedFieldsAuto', edit.selected ? 'all' : undefined);
    case 'offerMappings':
      return saying(found, 'dynamicMappingsInput', edit.mappings.length > 0 ? edit.mappings : undefined);
    case 'mapValues':
      return valuesMapped(found, edit);
    default:
      return { ...found, selectedFieldMappings: mapped(found, edit) };
  }
}

function writeObject(found: WriteObjectConfig, edit: WriteEdit | EitherEdit): WriteObjectConfig {
  switch (edit.edit) {
    case 'setFieldSettings':
    case 'setDefault':
    case 'setWriteOnCreate':
    case 'setWriteOnUpdate':
      return fieldSet(found, edit);
    case 'enableDeletion':
    case 'disableDeletion':
      return { ...found, deletionSettings: { enabled: edit.edit === 'enableDeletion' } };
    case 'setInheritMapping':
      return saying(found, 'inheritMapping', edit.inherit ?? undefined);
    case 'setRemoveUnmappedFields':
      return saying(found, 'removeUnmappedFields', edit.remove ?? undefined);
    case 'mapValues':
      return valuesMapped(found, edit);
    case 'mapField':
    case 'unmapField':
      return saying(found, 'selectedFieldMappings', orNothing(mapped(found, edit)));
  }
  return found;
}

function mapped(
  found: ReadObjectConfig | WriteObjectConfig, edit: Extract<EitherEdit, { edit: 'mapField' | 'unmapField' }>,
): Record<string, string> {
  return set(found.selectedFieldMappings, edit.mapToName, edit.edit === 'mapField' ? edit.fieldName : undefined);
}

function valuesMapped<T extends ReadObjectConfig | WriteObjectConfig>(
  found: T, edit: Extract<EitherEdit, { edit: 'mapValues' }>,
): T {
  const values = set(found.selectedValueMappings, edit.fieldName, orNothing(edit.values));
  return saying(found, 'selectedValueMappings', orNothing(values));
}

/** Set what counts for one field; settings that say nothing any more are dropped. */
function fieldSet(found: WriteObjectConfig, edit: SettingEdit): WriteObjectConfig {
  const settings = set(found.selectedFieldSettings, edit.fieldName, settingsAfter(found, edit));
  const changed = saying(found, 'selectedFieldSettings', orNothing(settings));
  if (edit.edit !== 'setFieldSettings' && edit.edit !== 'setDefault') return changed;
  // A default of the old form would come to life again when the new one is removed.
  return saying(changed, 'selectedValueDefaults', orNothing(withoutEntry(found.selectedValueDefaults, edit.fieldName)));
}

function settingsAfter(found: WriteObjectConfig, edit: SettingEdit): FieldSettings | undefined {
  if (edit.edit === 'setFieldSettings') return edit.settings ?? undefined;
  const before = own(found.selectedFieldSettings, edit.fieldName) ?? {};
  return orNothing(saying<FieldSettings, keyof FieldSettings>(before, MEMBERS[edit.edit], edit.value ?? undefined));
}

/** Set one entry, or take it away. */
function set<T>(map: Record<string, T> | undefined, name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? withoutEntry(map, name) : withEntry<T>(map, name, value);
}

/** Set one member, or take it away. */
function saying<T extends object, K extends keyof T>(found: T, member: K, value: T[K] | undefined): T {
  const { [member]: _, ...rest } = found;
  return (value === undefined ? rest : { ...found, [member]: value }) as T;
}

function orNothing<T extends object>(map: T): T | undefined {
  return Object.keys(map).length > 0 ? map : undefined;
}
