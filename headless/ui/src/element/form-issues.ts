/**
 * Which control an issue belongs to. Every control has the path of what it sets; an issue belongs to the control with
 * the longest path that its own begins with, else to its object, else to the form as a whole.
 */

import { at, objectPath } from '../paths.js';
import { own } from '../records.js';
import { chosenField, type Page } from './form-model.js';
import { slotsOf } from './form-rules-model.js';
import type { ConfigContent, Issue } from '../shapes.js';
import type { Action } from '../edits.js';

export { at, objectPath };

export function mappingPath(action: Action, object: string, name: string): string {
  return at(`${objectPath(action, object)}.selectedFieldMappings`, name);
}

export function valuesPath(action: Action, object: string, field: string): string {
  return at(`${objectPath(action, object)}.selectedValueMappings`, field);
}

export function settingsPath(object: string, key: string): string {
  return at(`${objectPath('write', object)}.selectedFieldSettings`, key);
}

export function fieldPath(object: string, field: string): string {
  return at(`${objectPath('read', object)}.selectedFields`, field);
}

export function within(path: string, control: string): boolean {
  return path.startsWith(control) && (path.length === control.length || '.['.includes(path.charAt(control.length)));
}

export function isError(issue: Issue): boolean {
  return issue.severity !== 'warning';
}

/** Where one issue belongs: an object's page and one of its controls. */
export interface Place {
  page: Page;
  control: string;
}

/** Issues by the control they belong to. */
export class Findings {
  readonly #byControl = new Map<string, Issue[]>();
  readonly #byPage = new Map<string, Issue[]>();
  /** Those that no page has a control for. */
  readonly astray: Issue[] = [];

  constructor(issues: readonly Issue[] = [], pages: readonly Page[] = [], content: ConfigContent = { provider: '' }) {
    for (const issue of issues) {
      const place = placeOf(issue, pages, content);
      if (place === undefined) this.astray.push(issue);
      else {
        add(this.#byControl, place.control, issue);
        add(this.#byPage, place.page.name, issue);
      }
    }
  }

  at(control: string): readonly Issue[] {
    return this.#byControl.get(control) ?? [];
  }

  /** Issues of a control and of everything within it. */
  below(control: string): readonly Issue[] {
    return [...this.#byControl].flatMap(([path, issues]) => (within(path, control) ? issues : []));
  }

  of(page: Page): readonly Issue[] {
    return this.#byPage.get(page.name) ?? [];
  }
}

function add(map: Map<string, Issue[]>, key: string, issue: Issue): void {
  const found = map.get(key);
  if (found) found.push(issue);
  else map.set(key, [issue]);
}

export function placeOf(issue: Issue, pages: readonly Page[], content: ConfigContent): Place | undefined {
  for (const page of pages) {
    for (const action of ['read', 'write'] as const) {
      if (page[action] && within(issue.path, objectPath(action, page.name))) {
        return { page, control: controlOf(issue.path, page, action, content) };
      }
    }
  }
  return undefined;
}

function controlOf(path: string, page: Page, action: Action, content: ConfigContent): string {
  const root = objectPath(action, page.name);
  const fitting = controls(page, action, content).filter((control) => within(path, control));
  return fitting.reduce((best, control) => (control.length > best.length ? control : best), root);
}

function controls(page: Page, action: Action, content: ConfigContent): string[] {
  const read = own(content.read?.objects, page.name);
  const write = own(content.write?.objects, page.name);
  const block = action === 'read' ? read : write;
  const mappings = page.mappings.filter((mapping) => mapping.action === action);
  const names = [...mappings.map(({ name }) => name ?? ''), ...Object.keys(block?.selectedFieldMappings ?? {})];
  const fields = mappings.filter(({ values }) => values).map((mapping) => chosenField(mapping, read, write) ?? '');
  const found = [
    ...names.map((name) => mappingPath(action, page.name, name)),
    ...fields.map((field) => valuesPath(action, page.name, field)),
  ];
  if (action === 'read') {
    found.push(...Object.keys(read?.selectedFields ?? {}).map((field) => fieldPath(page.name, field)));
    return found;
  }
  for (const { key, field } of slotsOf(page, read, write)) {
    const path = settingsPath(page.name, key);
    found.push(path, `${path}.default`, `${path}.writeOnCreate`, `${path}.writeOnUpdate`,
      settingsPath(page.name, field));
  }
  return [...found, `${objectPath('write', page.name)}.deletionSettings`];
}
