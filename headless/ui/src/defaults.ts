/** Knows which defaults stand in a config, those of the old form (`selectedValueDefaults`) among them. */

import { own, withEntry } from './records.js';
import type { FieldDefault, FieldSettings, WriteObjectConfig } from './shapes.js';

const MEMBERS: Readonly<Record<string, keyof FieldDefault>> = {
  string: 'stringValue', number: 'floatValue', boolean: 'booleanValue',
};

/** Settings by field. A default of the old form counts where the field has no new one, and reads as one. */
export function settingsIn(object: WriteObjectConfig | undefined): Record<string, FieldSettings> {
  let settings = object?.selectedFieldSettings ?? {};
  for (const [name, given] of Object.entries(object?.selectedValueDefaults ?? {})) {
    const standing = own(settings, name);
    if (standing?.default) continue;
    settings = withEntry<FieldSettings>(settings, name, { ...standing, default: renewed(given) });
  }
  return settings;
}

function renewed(given: unknown): FieldDefault {
  const value = typeof given === 'object' ? (given as { value?: unknown } | null)?.value : given;
  return { [Number.isInteger(value) ? 'integerValue' : MEMBERS[typeof value] ?? '']: value };
}
