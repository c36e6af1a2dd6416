/** Which input of the connect form an issue of the server belongs to. */

import { sentence } from './form-bits.js';
import { within } from './form-issues.js';
import type { Asked } from './asked.js';
import type { Issue } from '../shapes.js';

export interface Faults {
  /** What stands beside an input. */
  byPath: ReadonlyMap<string, string>;
  /** Inputs that an issue is about without naming one of them, such as refused credentials. */
  doubted: ReadonlySet<string>;
  /** What stands above all. */
  others: readonly string[];
}

export const NO_FAULTS: Faults = { byPath: new Map(), doubted: new Set(), others: [] };

export function faultsOf(issues: readonly Issue[], asked: readonly Asked[]): Faults {
  const byPath = new Map<string, string>();
  const doubted = new Set<string>();
  const others: string[] = [];
  for (const issue of issues) {
    // Where a connection is healed, everything stands within it.
    const path = issue.path.replace(/^connection\./, '');
    const about = asked.find((input) => within(path, input.path));
    if (about) byPath.set(about.path, sentence(issue));
    else others.push(sentence(issue));
    if (!about) for (const input of asked) if (path && within(input.path, path)) doubted.add(input.path);
  }
  return { byPath, doubted, others };
}
