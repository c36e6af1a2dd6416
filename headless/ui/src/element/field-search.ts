/**
 * How a person finds one of hundreds of fields: by words of its label and of its API name, in any order, whatever the
 * case and the accents. The words of an object's fields are prepared once.
 */

import type { Fields } from '../contract.js';
import type { FieldMetadata } from '../shapes.js';

interface Entry {
  field: FieldMetadata;
  label: string;
  name: string;
  /** Another field has the same label. */
  twin: boolean;
}

interface Index {
  entries: Entry[];
  byFolded: Map<string, FieldMetadata>;
  twins: Set<string>;
}

const indexes = new WeakMap<Fields, Index>();

export function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

export function labelOf(field: FieldMetadata): string {
  return field.displayName || field.fieldName;
}

function indexOf(fields: Fields): Index {
  let index = indexes.get(fields);
  if (index === undefined) indexes.set(fields, (index = build(fields)));
  return index;
}

function build(fields: Fields): Index {
  const seen = new Map<string, number>();
  const found = Object.values(fields)
    .map((field) => ({ field, label: fold(labelOf(field)), name: fold(field.fieldName) }));
  for (const { label } of found) seen.set(label, (seen.get(label) ?? 0) + 1);
  const entries = found.map((each) => ({ ...each, twin: (seen.get(each.label) ?? 0) > 1 }));
  entries.sort((one, other) => (one.label < other.label ? -1 : one.label > other.label ? 1 : 0));
  return {
    entries,
    byFolded: new Map(entries.map(({ field, name }) => [name, field])),
    twins: new Set(entries.filter(({ twin }) => twin).map(({ field }) => field.fieldName)),
  };
}

/** The field of a name; some providers ignore case in their names. */
export function findField(fields: Fields, name: string | undefined): FieldMetadata | undefined {
  if (name === undefined) return undefined;
  return Object.hasOwn(fields, name) ? fields[name] : indexOf(fields).byFolded.get(fold(name));
}

/** Whether another field has the same label, so that only the API name tells them apart. */
export function hasTwin(fields: Fields, name: string): boolean {
  return indexOf(fields).twins.has(name);
}

/** Fields that contain every word of the query; those that begin with it first, then by label. */
export function searchFields(
  fields: Fields,
  query: string,
  wanted: (field: FieldMetadata) => boolean = () => true,
): FieldMetadata[] {
  const text = fold(query.trim());
  const words = text.split(/\s+/).filter(Boolean);
  const ranked: FieldMetadata[][] = [[], [], []];
  for (const { field, label, name } of indexOf(fields).entries) {
    if (!wanted(field) || !words.every((word) => label.includes(word) || name.includes(word))) continue;
    const begins = label.startsWith(text) || name.startsWith(text);
    ranked[label === text || name === text ? 0 : begins ? 1 : 2]?.push(field);
  }
  return ranked.flat();
}
