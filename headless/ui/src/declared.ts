/**
 * The custom element as pages see it: what `install.d.ts` is made of, so that it needs no types of others. The class
 * itself is in `element/element.ts`; `declared-check.ts` holds the two together.
 */

import type { InstallError, Installer, Options, Sample } from './contract.js';
import type { Strings } from './element/strings.js';
import type { Connection, Installation } from './shapes.js';

export * from './headless.js';
export type { Strings } from './element/strings.js';

/** What the element tells the page; every event bubbles, and leaves shadow roots. */
export interface IsthmusInstallEvents {
  connected: CustomEvent<{ connection: Connection }>;
  installed: CustomEvent<{ installation: Installation }>;
  updated: CustomEvent<{ installation: Installation }>;
  uninstalled: CustomEvent<{ installationId: string }>;
  error: CustomEvent<InstallError>;
  /** The token is refused and nothing gets another one: set `token`, or have `getToken`. */
  tokenexpired: CustomEvent<void>;
  dirtychange: CustomEvent<{ dirty: boolean }>;
}

/** `<isthmus-install>`. Attributes are spelt with hyphens: `group-ref`. */
export interface IsthmusInstall extends HTMLElement {
  /** The origin of the server; by default that of the script. */
  server: string | undefined;
  project: string | undefined;
  integration: string | undefined;
  groupRef: string | undefined;
  groupName: string | undefined;
  consumerRef: string | undefined;
  consumerName: string | undefined;
  /** A session token. A new one may be set at any time, and nothing that was begun is lost. */
  token: string | undefined;
  apiKey: string | undefined;
  /** Asked whenever a token is needed, with the one that has just been refused. Goes before `token`. */
  getToken: ((refused?: string) => string | Promise<string>) | undefined;
  fieldMapping: Options['fieldMapping'];
  /** `light` or `dark`; else what the customer's system says. */
  theme: string | undefined;
  /** Own words for any message, by its key. */
  strings: Strings | undefined;
  /** Records to preview, as the product would write them. */
  samples: readonly Sample[] | undefined;
  /** What the element itself works with: for pages that want more than it shows. */
  readonly installer: Installer | undefined;
  /** Whether something would be lost if the page were left now. */
  readonly dirty: boolean;

  addEventListener<K extends keyof IsthmusInstallEvents>(
    type: K, listener: (this: IsthmusInstall, event: IsthmusInstallEvents[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions,
  ): void;
}

export declare const IsthmusInstall: { new (): IsthmusInstall; prototype: IsthmusInstall };

declare global {
  interface HTMLElementTagNameMap {
    'isthmus-install': IsthmusInstall;
  }
}
