/** Whether two configs mean the same, however they are spelled. */

import { same } from './records.js';
import type { ConfigContent } from './shapes.js';

/** What is on and off again leaves traces such as `disabled: false`; they mean nothing. */
export function sameMeaning(one: ConfigContent, other: ConfigContent): boolean {
  return same(one, other) || same(plainest(one), plainest(other));
}

function plainest(content: ConfigContent): unknown {
  return JSON.parse(JSON.stringify(content, (name, value: unknown) => (saysNothing(name, value) ? undefined : value)));
}

function saysNothing(name: string, value: unknown): boolean {
  if (value === false) return name === 'disabled';
  if (typeof value !== 'object' || value === null) return false;
  if (name === 'deletionSettings' || name === 'proxy') return (value as { enabled?: boolean }).enabled === false;
  // That no object at all is written is said by a list of none.
  return name !== 'objects' && name !== 'listValue' && Object.keys(value).length === 0;
}
