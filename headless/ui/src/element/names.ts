/**
 * The keys of messages that are numbers in what is built, in their order: for pages with words of their own, which
 * alone load it. The build fills it in (`keys.mjs`); in the sources every key is its name.
 */

import type { Key } from './strings.js';

export const names: readonly Key[] = [];
