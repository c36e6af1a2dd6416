/**
 * `<isthmus-part-connect>`: connects, or connects again. What is typed stays in the inputs alone: it is read when it is
 * sent, and secrets are wiped as soon as there is an answer.
 */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import { wantsWindow } from '../connecting.js';
import { askedFor, cleaned, credentialsOf, docsOf, type Asked } from './asked.js';
import { connectField, docsLink } from './connect-field.js';
import { idFor, LightElement } from './light.js';
import { define, type Changed } from './reactive.js';
import { faultsOf, NO_FAULTS, type Faults } from './faults.js';
import { alarm, button, spinner } from './pieces.js';
import { told } from './telling.js';
import type { Credentials, InstallError } from '../contract.js';
import type { Connection, Provider } from '../shapes.js';
import type { Words } from './words.js';

/** Answers what went wrong; nothing where it was connected, or somebody gave up. */
export type Connecting = (credentials: Credentials, signal: AbortSignal) => Promise<InstallError | undefined>;

export class ConnectPart extends LightElement {
  static override properties = [
    'provider', 'module', 'connection', 'words', 'connecting', 'giveUp', 'faults', 'error', 'waiting', 'shown',
  ];

  declare provider: Provider;
  declare module: string | undefined;
  /** Given where this connection is to be healed. */
  declare connection: Connection | undefined;
  declare words: Words;
  declare connecting: Connecting;
  /** Given where one can leave without connecting. */
  declare giveUp: (() => void) | undefined;

  declare private faults: Faults;
  declare private error: InstallError | undefined;
  declare private waiting: AbortController | undefined;
  declare private shown: ReadonlySet<string>;
  #asked: Asked[] = [];

  constructor() {
    super();
    this.faults = NO_FAULTS;
    this.shown = new Set();
  }

  protected override willUpdate(changed: Changed): void {
    if (!['provider', 'connection', 'words', 'module'].some((name) => changed.has(name))) return;
    this.#asked = askedFor(this.provider, this.words, { module: this.module, connection: this.connection });
  }

  protected override render(): TemplateResult {
    if (this.waiting && this.#opensWindow) return this.#waitingView();
    const { words, provider } = this;
    const busy = this.waiting !== undefined;
    const known = provider.authType !== 'jwt';
    const isDocumented = !this.#asked.length || this.#asked.some(({ docsURL }) => docsURL);
    return html`<form class="stack connect-form" part="connect" method="post" novalidate
        @submit=${(event: Event) => this.#submit(event)}>
      ${this.#errorView()}
      <p class="muted">${words.say(this.#explanation(known), { provider: provider.displayName })}
        ${isDocumented ? nothing : docsLink(docsOf(provider), words)}</p>
      ${this.#asked.map((asked) => this.#field(asked))}
      <div class="row actions">
        ${known ? button(this.#buttonText(), undefined, {
          part: 'connect', tone: 'primary', submits: true, off: busy, busy,
        }) : nothing}
        ${this.giveUp ? button(words.say('shell.cancel'), () => this.#leave()) : nothing}
      </div>
    </form>`;
  }

  get #opensWindow(): boolean {
    return wantsWindow(this.provider, this.connection);
  }

  #explanation(known: boolean) {
    if (!known) return 'shell.connect.unknown';
    if (this.#opensWindow) return 'shell.connect.window';
    return this.#asked.length ? 'shell.connect.form' : 'shell.connect.plain';
  }

  #buttonText() {
    const { words, provider } = this;
    if (this.waiting) return words.say('shell.connect.busy');
    if (this.error && this.#opensWindow) return words.say('shell.connect.reopen');
    if (this.connection) return words.say('shell.reconnect');
    return words.say('shell.connect.button', { provider: provider.displayName });
  }

  #errorView() {
    const lines = [...(this.error ? [told(this.error, this.words)] : []), ...this.faults.others];
    if (!lines.length) return nothing;
    return alarm(this.words.say('shell.notConnected'), lines, nothing, 'isthmus-connect-error');
  }

  #waitingView() {
    const { words } = this;
    return html`<div class="waiting" part="waiting">
      ${spinner()}
      <div>
        <h3 tabindex="-1">${words.say('shell.connect.waiting', { provider: this.provider.displayName })}</h3>
        <p class="muted">${words.say('shell.connect.waitingHint')}</p>
        ${button(words.say('shell.cancel'), () => this.waiting?.abort())}
      </div>
    </div>`;
  }

  #field(asked: Asked) {
    return connectField(asked, {
      words: this.words,
      fault: this.faults.byPath.get(asked.path),
      doubted: this.faults.doubted.has(asked.path),
      shown: this.shown.has(asked.path),
      waiting: this.waiting !== undefined,
      onShow: () => this.#toggle(asked.path),
    });
  }

  #leave(): void {
    this.waiting?.abort();
    this.giveUp?.();
  }

  #toggle(path: string): void {
    const shown = new Set(this.shown);
    if (!shown.delete(path)) shown.add(path);
    this.shown = shown;
  }

  #submit(event: Event): void {
    event.preventDefault();
    if (this.waiting) return;
    const values = new Map(this.#asked.map((asked) => [asked.path, cleaned(asked, this.#input(asked)?.value ?? '')]));
    const empty = this.#asked.filter(({ path, required }) => required && !values.get(path));
    const words = this.words.say('shell.connect.required');
    this.error = undefined;
    this.faults = { ...NO_FAULTS, byPath: new Map(empty.map(({ path }) => [path, words])) };
    if (empty.length) this.#focusFault();
    else void this.#send(credentialsOf(this.#asked, values));
  }

  /** The window opens before anything is awaited: browsers allow it in the click alone. */
  async #send(credentials: Credentials): Promise<void> {
    const waiting = new AbortController();
    const answer = this.connecting(credentials, waiting.signal);
    this.waiting = waiting;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>('.waiting h3')?.focus());
    const error = await answer;
    if (this.waiting !== waiting) return;
    this.waiting = undefined;
    if (error?.code !== 'network') this.#wipe();
    this.faults = faultsOf((error?.issues ?? []).map((issue) => this.words.told(issue)), this.#asked);
    this.error = error && !this.faults.byPath.size && !this.faults.others.length ? error : undefined;
    if (error || waiting.signal.aborted) this.#focusFault();
  }

  #wipe(): void {
    for (const asked of this.#asked) if (asked.kind === 'secret') this.#input(asked)!.value = '';
    this.shown = new Set();
  }

  #input(asked: Asked): HTMLInputElement | HTMLSelectElement | null {
    return this.querySelector(`#${idFor(asked.path)}`);
  }

  #focusFault(): void {
    void this.updateComplete.then(() => {
      const target = this.querySelector<HTMLElement>('[aria-invalid="true"]') ?? this.querySelector('[type=submit]');
      (target as HTMLElement | null)?.focus();
    });
  }
}

define('isthmus-part-connect', ConnectPart);
