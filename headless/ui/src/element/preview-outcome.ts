/** What an explanation says about one field, in words for a customer: what is sent, or why nothing is. */

import type { Explanation, Fate, Reason } from '../shapes.js';
import type { Line } from './sample-record.js';
import { english, type Key } from './strings.js';
import type { Words } from './words.js';

export interface Outcome {
  /** The provider field. */
  field: string;
  fate: Fate;
  value?: unknown;
  why: string[];
}

/** Deeds that say nothing which the line itself does not show. */
const PLAIN = new Set(['mapping.unchanged', 'mapping.mapped', 'mapping.found', 'overwrite.written',
  'overwrite.written.always']);

interface Asked {
  name: string;
  field?: string;
  slot?: Line['slot'];
}

export function outcomeOf(told: Explanation, { name, slot, field: known }: Asked, sent: boolean,
  words: Words): Outcome {
  const record = told.records[0];
  const input = sent ? record?.inputs.find((each) => each.name === name) : undefined;
  const field = input?.field ?? known ?? slot?.field ?? name;
  const reached = record?.fields.find((each) => each.field === field);
  if (!input && !reached) return { field, fate: 'dropped', why: sent ? [] : [words.say('form.why.nothing')] };
  const because = input?.because ?? reached?.because ?? [];
  const fate = reached?.fate ?? input?.fate ?? 'dropped';
  // Why nothing is sent is told by the last deed; what came before has led to nothing.
  const reasons = (fate === 'dropped' ? because.slice(-1) : because).map((reason) => say(reason, words));
  return { field, fate, value: reached?.value, why: [...new Set(reasons.filter((text) => text !== ''))] };
}

function say(reason: Reason, words: Words): string {
  const { rule, deed, choice } = reason;
  const key = [rule, deed, choice].filter(Boolean).join('.');
  if (PLAIN.has(key)) return '';
  const own = `form.why.${key}`;
  return isKey(own) ? words.say(own) : withoutPaths(reason);
}

/** Whether we have words of our own for it. */
function isKey(text: string): text is Key {
  return Object.hasOwn(english, text);
}

/** The server's sentence, without the paths of settings, which are for builders. */
function withoutPaths({ words, setting, insteadOf }: Reason): string {
  return words.replace(` ${setting ?? ''} overrides ${insteadOf ?? ''}.`, '');
}

/** The provider fields to which something else happens than before. */
export function changedFields(before: Explanation, now: Explanation): Set<string> {
  const fates = (told: Explanation): Map<string, string> =>
    new Map((told.records[0]?.fields ?? []).map(({ field, fate, value }) => [field, JSON.stringify([fate, value])]));
  const [one, other] = [fates(before), fates(now)];
  return new Set([...one.keys(), ...other.keys()].filter((field) => one.get(field) !== other.get(field)));
}
