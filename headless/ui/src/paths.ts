/** Where things stand in a config, as the server spells it, and where an edit does. */

import type { Action, Edit } from './edits.js';
import { Refusal } from './refusal.js';

/** Extend a path by a member, as the server spells it: names with marks of their own stand in brackets and quotes. */
export function at(path: string, step: string): string {
  const plain = /[\p{L}\p{N}]/u.test(step) && !/[^\p{L}\p{N}_-]/u.test(step);
  return plain ? `${path}.${step}` : `${path}["${step}"]`;
}

export function objectPath(action: Action, name: string): string {
  return at(`config.content.${action}.objects`, name);
}

const READ = new Set(['enableRead', 'disableRead', 'selectAllFields', 'offerMappings']);
const MEMBERS: Readonly<Record<string, string>> = {
  selectField: 'selectedFields', mapField: 'selectedFieldMappings', unmapField: 'selectedFieldMappings',
  mapValues: 'selectedValueMappings',
};

/** What an edit is about. */
export function pathOfEdit(edit: Edit): string {
  const { edit: kind = '', objectName, fieldName, mapToName, action } = edit as Partial<Record<string, string>>;
  if (objectName === undefined) return 'config.content.proxy';
  const path = objectPath((action ?? (READ.has(kind) || MEMBERS[kind] ? 'read' : 'write')) as Action, objectName);
  const name = mapToName ?? fieldName;
  return name === undefined ? path : at(`${path}.${MEMBERS[kind] ?? 'selectedFieldSettings'}`, name);
}

/** Have what is wrong with an edit (`edits[3].objectName`) stand where the customer made it. */
export function placed(thrown: unknown, edits: readonly Edit[]): unknown {
  if (!(thrown instanceof Refusal) || thrown.issues === undefined) return thrown;
  const issues = thrown.issues.map((issue) => {
    const edit = edits[Number(/^edits\[(\d+)\]/.exec(issue.path)?.[1])];
    return edit === undefined ? issue : { ...issue, path: pathOfEdit(edit) };
  });
  return new Refusal(thrown.code, thrown.message, thrown.status, issues);
}
