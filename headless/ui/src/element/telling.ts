/** How an error is told: in our own words where its code says enough, else in the server's. */

import { sentence } from './form-bits.js';
import type { ErrorCode, InstallError } from '../contract.js';
import type { Key } from './strings.js';
import type { Words } from './words.js';

const OWN: Readonly<Partial<Record<ErrorCode, Key>>> = {
  network: 'shell.error.network',
  token: 'shell.error.token',
  'popup-blocked': 'shell.error.popup-blocked',
  'popup-closed': 'shell.error.popup-closed',
};

export function told(error: InstallError, words: Words): string {
  const key = OWN[error.code];
  return key ? words.say(key) : error.message ? sentence(words.told(error)) : words.say('shell.error.server');
}
