/** What the templates of the frame are given: the state, the words for it, and what can be done. */

import type { Credentials, InstallError, State } from '../contract.js';
import type { Key } from './strings.js';
import type { Values, Words } from './words.js';

/** What is opened within the element: giving credentials again, or the question before all is given up. */
export type Panel = '' | 'reconnect' | 'uninstall';

/** What the last act came to, where it failed. `savebar` and `foot` are where its button is. */
export interface Failure {
  place: 'savebar' | 'foot' | 'panel';
  error: InstallError;
}

export interface Acts {
  retry(): void;
  save(): void;
  discard(): void;
  refresh(): void;
  disconnect(): void;
  uninstall(): void;
  open(panel: Panel): void;
  showProblem(): void;
  connect(credentials: Credentials, signal: AbortSignal): Promise<InstallError | undefined>;
}

export interface View {
  state: State;
  words: Words;
  acts: Acts;
  panel: Panel;
  failure: Failure | undefined;
  /** The issues that the form has no field for are listed. */
  listed: boolean;
  /** What stands in sentences: the names of integration, provider and group. */
  names: Values;
}

/** Say something in which the names may stand. */
export function say({ words, names }: View, key: Key, more: Values = {}): string {
  return words.say(key, { ...names, ...more });
}
