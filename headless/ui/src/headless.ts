/**
 * The headless module: everything about an installation but its looks. It needs no framework, and runs in browsers and
 * in Node.js 20, where there are no windows for consent.
 */

import type { Installer, Options } from './contract.js';
import { LocalInstaller } from './installer.js';

/** See one customer's installation of one integration. Nothing is asked of the server before `load()`. */
export function createInstaller(options: Options): Installer {
  return new LocalInstaller(options);
}

export { applyEdits } from './applying.js';
export { wantsWindow } from './connecting.js';
export type { Manifest, ReadObjectDeclared } from './applying.js';
export type * from './contract.js';
export type * from './edits.js';
export type * from './shapes.js';
