/** Holds the element to its declarations: this compiles as long as pages may believe them. Nothing here runs. */

import type * as declared from './declared.js';
import type * as entry from './install.js';

type Said = Omit<declared.IsthmusInstall, 'addEventListener'>;
type Extra = Exclude<keyof typeof declared, keyof typeof entry>;

export const fits = (real: entry.IsthmusInstall): Said => real;
/** Nothing is declared that the entry does not have. */
export const nothingMore = (name: Extra): never => name;
