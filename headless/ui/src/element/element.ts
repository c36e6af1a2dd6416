/**
 * `<isthmus-install>`: one customer's integration in a page of the product. It keeps one installer for what its
 * attributes say, shows its state, and tells the page by events.
 */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import './connect.js';
import './form.js';
import { createInstaller } from '../headless.js';
import { connecting, failed, head, misplaced, repair, skeleton } from './frame.js';
import { Acting } from './acting.js';
import { foot } from './foot.js';
import { form } from './form-styles.js';
import { define, Reactive, UNDRAWN, type Changed } from './reactive.js';
import { missingOptions, optionsOf, sameOptions, type Given } from './given.js';
import { savebar } from './savebar.js';
import { adopt } from './sheet.js';
import { basics, frame, tokens } from './styles.js';
import type { Strings } from './strings.js';
import { directionOf, wordsFor, Words } from './words.js';
import { ANNOUNCE } from './parts.js';
import type { View } from './view.js';
import type { DynamicMapping } from '../shapes.js';
import type { Installer, Options, Sample, State } from '../contract.js';

const NOTHING_YET: State = {
  phase: 'loading', busy: 'loading', content: { provider: '' }, dirty: false, issues: [], reviewing: false,
};

const NAMES = [
  'server', 'project', 'integration', 'group-ref', 'group-name', 'consumer-ref', 'consumer-name', 'token', 'api-key',
  'theme',
];
/** The properties that attributes set, by the attribute. */
const ATTRIBUTES = new Map(NAMES.map((name) => [name, name.replace(/-./, ([, letter = '']) => letter.toUpperCase())]));

/** Until the words of the page's language are there. */
const NOT_YET_CHOSEN = new Words('en');

/**
 * Events, all with a `detail`, bubbling and composed: `connected` {connection}, `installed` and `updated`
 * {installation}, `uninstalled` {installationId}, `error` (the `InstallError`), `tokenexpired` (none: set `token`, or
 * have `getToken`), `dirtychange` {dirty}.
 */
export class IsthmusInstall extends Reactive implements Given {
  static override properties = [
    ...ATTRIBUTES.values(), 'getToken', 'fieldMapping', 'strings', 'samples', 'state', 'words', 'said',
  ];

  static readonly observedAttributes = [...ATTRIBUTES.keys(), 'lang', 'dir'];

  /** The origin of the server; by default that of this script. */
  declare server: string | undefined;
  declare project: string | undefined;
  declare integration: string | undefined;
  declare groupRef: string | undefined;
  declare groupName: string | undefined;
  declare consumerRef: string | undefined;
  declare consumerName: string | undefined;
  /** A session token. A new one may be set at any time, and nothing that was begun is lost. */
  declare token: string | undefined;
  declare apiKey: string | undefined;
  /** Asked whenever a token is needed, with the one that has just been refused. Goes before `token`. */
  declare getToken: ((refused?: string) => string | Promise<string>) | undefined;
  declare fieldMapping: Record<string, DynamicMapping[]> | undefined;
  /** `light` or `dark`; else what the customer's system says. */
  declare theme: string | undefined;
  /** Own words for any message, by its key. */
  declare strings: Strings | undefined;
  /** Records to preview, as the product would write them. */
  declare samples: readonly Sample[] | undefined;

  declare private state: State;
  declare private words: Words;
  declare private said: string;
  /** Without an installer where the options make none. */
  #made: { installer?: Installer; options: Options; stop?: () => void } | undefined;
  #isUndrawn = false;
  #wordsWanted = '';
  readonly #acting: Acting;

  constructor() {
    super();
    this.state = NOTHING_YET;
    this.words = NOT_YET_CHOSEN;
    this.said = '';
    this.#acting = new Acting({
      installer: () => this.#made?.installer,
      view: () => this.#view(),
      announce: (text) => this.#announce(text),
      emit: (name, detail) => this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true })),
      redraw: () => {
        this.requestUpdate();
        return this.updateComplete;
      },
      find: (selector) => this.shadowRoot?.querySelector<HTMLElement>(selector) ?? null,
      hasFocus: () => this.shadowRoot?.activeElement != null,
    });
  }

  /** What the element itself works with: for pages that want more than it shows. */
  get installer(): Installer | undefined {
    return this.#made?.installer;
  }

  /** Whether something would be lost if the page were left now. */
  get dirty(): boolean {
    return this.#acting.dirty;
  }

  protected override createRenderRoot(): ShadowRoot {
    const root = this.attachShadow({ mode: 'open' });
    adopt(root, [tokens, basics, frame, form]);
    root.addEventListener(ANNOUNCE, (event) => this.#announce((event as CustomEvent<string>).detail));
    root.addEventListener(UNDRAWN, () => this.undrawn());
    return root;
  }

  /** Something is to be seen whatever the server answers, and it stays until somebody asks for it anew. */
  protected override undrawn(): void {
    if (this.#isUndrawn) return;
    this.#take({ ...NOTHING_YET, phase: 'failed', busy: '', error: { code: 'server', message: '' } });
    this.#isUndrawn = true;
  }

  attributeChangedCallback(name: string, _: string | null, value: string | null): void {
    const property = ATTRIBUTES.get(name);
    if (property) Object.assign(this, { [property]: value ?? undefined });
    else this.requestUpdate();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  /** An element that is only moved comes back at once, and goes on. */
  disconnectedCallback(): void {
    queueMicrotask(() => this.isConnected || this.#close());
  }

  protected override willUpdate(changed: Changed): void {
    this.#chooseWords(changed.has('strings'));
    if (!this.isConnected) return;
    const options = missingOptions(this).length ? undefined : optionsOf(this);
    if (!options || !this.#made || !sameOptions(this.#made.options, options)) {
      this.#close();
      if (options) this.#open(options);
    } else if ((changed.has('token') || changed.has('getToken')) && this.state.error?.code === 'token') {
      this.#acting.acts.retry();
    }
  }

  protected override updated(changed: Changed): void {
    if (changed.has('theme')) {
      if (this.theme) this.setAttribute('theme', this.theme);
      else this.removeAttribute('theme');
    }
  }

  #open(options: Options): void {
    this.#made = { options };
    try {
      const installer = createInstaller(options);
      const stop = installer.subscribe((state) => this.#take(state));
      this.#made = { installer, options, stop };
      this.#take(installer.state);
      void installer.load().catch(() => undefined);
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      this.#take({ ...NOTHING_YET, phase: 'failed', busy: '', error: { code: 'invalid', message } });
    }
  }

  #take(state: State): void {
    if (this.#isUndrawn && state.busy !== 'loading') return;
    this.#isUndrawn = false;
    const before = this.state;
    this.state = state;
    this.#acting.follow(before, state);
  }

  #close(): void {
    this.#made?.stop?.();
    this.#made?.installer?.close();
    this.#made = undefined;
    this.#isUndrawn = false;
    this.state = NOTHING_YET;
    this.#acting.reset();
  }

  #chooseWords(anew: boolean): void {
    const lang = this.lang || this.closest<HTMLElement>('[lang]')?.lang || document.documentElement.lang || 'en';
    if (lang === this.#wordsWanted && !anew) return;
    this.#wordsWanted = lang;
    const own = this.strings;
    void wordsFor(lang, own).then((words) => {
      if (this.#wordsWanted === lang && this.strings === own) this.words = words;
    });
  }

  /** Say it to screen readers, also where the same was said before. */
  #announce(text: string): void {
    this.said = this.said === text ? `${text}\u00a0` : text;
  }

  get #direction(): string | typeof nothing {
    return this.dir || (this.lang ? directionOf(this.words.lang) : nothing);
  }

  protected override render(): TemplateResult {
    const view = this.#view();
    const missing = missingOptions(this);
    const waits = this.#waits && !missing.length;
    return html`<div class="root" part="root" lang=${this.words.lang} dir=${this.#direction}>
      <div class="visually-hidden" role="status">${this.said}</div>
      <section class="card" part="card" aria-labelledby="isthmus-heading" aria-busy=${waits ? 'true' : 'false'}>
        ${head(view)}
        ${missing.length ? misplaced(view, missing.join(', ')) : this.#body(view)}
      </section>
    </div>`;
  }

  get #waits(): boolean {
    return this.state.phase === 'loading' || this.words === NOT_YET_CHOSEN;
  }

  #body(view: View): unknown {
    if (this.#waits) return skeleton(view);
    switch (this.state.phase) {
      case 'failed': return failed(view);
      case 'connect': return connecting(view);
      default: return this.#installed(view);
    }
  }

  #installed(view: View): TemplateResult {
    const mending = this.state.phase === 'broken' ? repair(view) : nothing;
    return html`${mending}${this.#configuring()}${savebar(view)}${foot(view)}`;
  }

  #configuring(): TemplateResult | typeof nothing {
    if (!this.#made?.installer || !this.state.manifest) return nothing;
    return html`<div class="body" part="body"><isthmus-part-form .installer=${this.#made.installer} .state=${this.state}
      .words=${this.words} .samples=${this.samples ?? []}></isthmus-part-form></div>`;
  }

  #view(): View {
    const { state, words } = this;
    const { panel, failure, listed, acts } = this.#acting;
    const integration = state.integration;
    const names = {
      integration:
        integration?.latestRevision.content.displayName || integration?.name || words.say('shell.integration'),
      provider: state.provider?.displayName ?? integration?.provider ?? '',
      group: this.groupName ?? '',
    };
    return { state, words, names, panel, failure, listed, acts };
  }
}

define('isthmus-install', IsthmusInstall);
