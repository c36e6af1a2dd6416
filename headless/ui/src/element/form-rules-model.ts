/**
 * Which fields of an object a default or an overwrite rule can stand on, and what counts for each: the customer's own
 * settings above those of the manifest, each member for itself.
 */

import { settingsIn } from '../defaults.js';
import { own } from '../records.js';
import { findField, labelOf } from './field-search.js';
import { chosenField, counts, inherits, type Page } from './form-model.js';
import type {
  FieldDefault, FieldMetadata, FieldSettings, MappedValue, ReadObjectConfig, WriteObjectConfig,
} from '../shapes.js';

/** One field that is written. */
export interface Slot {
  /** What its settings stand under: the product's name if it has one, else the provider's. */
  key: string;
  /** The product's name for it; absent for a field that is written under the provider's own name. */
  mapped?: string;
  title: string;
  /** The provider field. */
  field: string;
  meta?: FieldMetadata;
  own?: FieldSettings;
  /** From the manifest. */
  inherited?: FieldSettings;
  values?: MappedValue[];
}

type Change = Partial<Record<keyof FieldSettings, unknown>>;
type Scalar = string | number | boolean;
type Settings = Record<string, FieldSettings>;

/** The fields that are written: mapped ones in their order, then required ones, then what has settings or was added. */
export function slotsOf(
  page: Page,
  read: ReadObjectConfig | undefined,
  write: WriteObjectConfig | undefined,
  added: readonly string[] = [],
): Slot[] {
  const mine: Settings = settingsIn(write);
  const theirs: Settings = page.write?.fieldSettings ?? {};
  const slots = mappedSlots(page, read, write, mine);
  const taken = new Set(slots.flatMap((slot) => [slot.key,
    ...(own(mine, slot.key) || !own(mine, slot.field) ? [slot.field] : [])]));
  const required = Object.values(page.fields).filter((field) => field.isRequired && !field.readOnly);
  // What a person has just added stays where it appeared.
  const settled = [...Object.keys(theirs), ...Object.keys(mine)].filter((name) => !added.includes(name));
  const further = [...required.map((field) => field.fieldName), ...settled, ...added];
  for (const name of further) {
    if (taken.has(name)) continue;
    taken.add(name);
    const meta = findField(page.fields, name);
    slots.push({ key: name, title: meta ? labelOf(meta) : name, field: name, ...(meta && { meta }) });
  }
  return slots.map((slot) => ({ ...slot, ...settingsOf(slot, mine, theirs) }));
}

function mappedSlots(
  page: Page,
  read: ReadObjectConfig | undefined,
  write: WriteObjectConfig | undefined,
  mine: Settings,
): Slot[] {
  const slots: Slot[] = [];
  for (const mapping of page.mappings) {
    const field = chosenField(mapping, read, write);
    if (mapping.name === undefined || field === undefined
      || (mapping.action === 'read' && !inherits(page, write))) continue;
    const meta = findField(page.fields, field);
    if (!counts(mapping, read) || meta?.readOnly) continue;
    const { name, title, values } = mapping;
    // A setting that already stands under the provider's name stays where it is.
    const key = !own(mine, name) && own(mine, field) ? field : name;
    slots.push({ key, mapped: name, title, field, ...(meta && { meta }), ...(values && { values }) });
  }
  return slots;
}

function settingsOf(slot: Slot, mine: Settings, theirs: Settings): Pick<Slot, 'own' | 'inherited'> {
  const chosen = own(mine, slot.key);
  const inherited = own(theirs, slot.mapped ?? slot.field) ?? own(theirs, slot.field);
  return { ...(chosen && { own: chosen }), ...(inherited && { inherited }) };
}

/** What counts: each member of the customer's, else the manifest's. */
export function effective(slot: Slot): FieldSettings {
  return { ...slot.inherited, ...slot.own };
}

/** Settings with one member changed; `undefined` when nothing is left to say. */
export function withMember(settings: FieldSettings | undefined, change: Change): FieldSettings | undefined {
  const members = Object.entries({ ...settings, ...change }).filter(([, value]) => value !== undefined);
  return members.length ? (Object.fromEntries(members) as FieldSettings) : undefined;
}

/** The one value that a default gives. */
export function valueOf(given: FieldDefault | undefined): Scalar | Scalar[] | undefined {
  if (given === undefined) return undefined;
  return given.stringValue ?? given.dateValue ?? given.integerValue ?? given.floatValue ?? given.booleanValue
    ?? given.listValue;
}
