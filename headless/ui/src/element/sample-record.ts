/**
 * What a record of the product might look like: the names that reach a field of the account, each with a value that
 * such a field could have. Everything is made up, and the same every time.
 */

import type { Sample } from '../contract.js';
import { own } from '../records.js';
import { effective, type Slot } from './form-rules-model.js';

/** One member of the sample record. */
export interface Line {
  /** The name under which the product sends it. */
  name: string;
  title: string;
  /** Absent for what the host page's sample has beside the names we know. */
  slot?: Slot;
  value: unknown;
  /** Whether the record has it at first. */
  sent: boolean;
}

const NESTED = /^\$(?:\['[^']+'\])+$/;

/** The members of a nested name such as `$['address']['city']`; of any other name, that name. */
function segments(name: string): string[] {
  if (!NESTED.test(name)) return [name];
  return [...name.matchAll(/\['([^']+)'\]/g)].map((found) => found[1] ?? '');
}

function read(record: Record<string, unknown>, name: string): unknown {
  return segments(name).reduce<unknown>((at, step) => own(at as Record<string, unknown> | undefined, step), record);
}

/** Put a value where its name says, making the objects on the way. */
function place(record: Record<string, unknown>, name: string, value: unknown): void {
  const path = segments(name);
  const last = path.pop() ?? name;
  let at = record;
  for (const step of path) {
    const found = own(at, step);
    const next = typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {};
    set(at, step, next);
    at = next;
  }
  set(at, last, value);
}

/** Also for `__proto__`, which an assignment would take for something else. */
function set(record: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
}

/** The lines of an object's preview. A field with a default is left out at first, so that the default is seen. */
export function linesOf(slots: readonly Slot[], sample: Sample | undefined): Line[] {
  const lines = slots.map((slot): Line => {
    const name = slot.mapped ?? slot.field;
    const given = sample && read(sample.record, name);
    const known = given !== undefined;
    return { name, title: slot.title, slot, value: known ? given : plausible(slot), sent: sample
      ? known : !effective(slot).default };
  });
  const heads = new Set(lines.map(({ name }) => segments(name)[0]));
  const others = Object.entries(sample?.record ?? {}).filter(([name]) => name !== 'id' && !heads.has(name));
  return [...lines, ...others.map(([name, value]) => ({ name, title: name, value, sent: true }))];
}

export function buildRecord(members: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const [name, value] of members) place(record, name, value);
  return record;
}

const BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/e-?mail/, 'ada@example.com'], [/phone|mobile/, '+44 20 7946 0958'], [/url|domain|website/, 'https://example.com'],
  [/first/, 'Ada'], [/last|surname/, 'Lovelace'], [/city|town/, 'London'], [/name/, 'Ada Lovelace'],
];

/** A value that the product could send for this field. */
export function plausible({ meta, values, title, mapped, field }: Slot): unknown {
  if (values?.[0]) return values[0].mappedValue;
  const choice = meta?.values?.[0]?.value;
  if (meta?.valueType === 'multiSelect') return choice === undefined ? [] : [choice];
  if (choice !== undefined) return choice;
  if (meta?.valueType === 'boolean') return true;
  if (meta?.valueType === 'int') return 42;
  if (meta?.valueType === 'float') return 12.5;
  if (meta?.valueType === 'date') return '2026-01-31';
  if (meta?.valueType === 'datetime') return '2026-01-31T09:00:00Z';
  const name = `${mapped ?? ''} ${field}`.toLowerCase();
  return BY_NAME.find(([pattern]) => pattern.test(name))?.[1]
    ?? (meta?.valueType === 'reference' ? '1' : title.slice(0, 40));
}

/** A value as it stands in an input. */
export function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) return value.join(', ');
  return value === undefined ? '' : JSON.stringify(value);
}

/** What an input means: a value of the kind that stood there before. */
export function fromText(text: string, before: unknown): unknown {
  if (typeof before === 'string') return text;
  if (Array.isArray(before)) return text.split(',').map((each) => each.trim()).filter(Boolean);
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}
