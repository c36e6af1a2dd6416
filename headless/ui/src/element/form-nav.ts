/**
 * `<isthmus-part-objects>`: the list of objects. Tabs that stand under each other, so that the keyboard passes them
 * with one step and arrows move within; a search where there are many; a plain select where it is narrow.
 *
 * https://www.w3.org/WAI/ARIA/apg/patterns/tabs/
 */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import type { ConfigContent } from '../shapes.js';
import { fold } from './field-search.js';
import { isError, type Findings } from './form-issues.js';
import { reads, readOf, writeOf, type Page } from './form-model.js';
import { idFor, LightElement } from './light.js';
import { define } from './reactive.js';
import type { Words } from './words.js';

/** A person's wish to see an object; the detail is its name. */
export const OPEN = 'isthmus-open';

/** From so many objects on, there is a search. */
const MANY = 9;

export const PANEL = 'isthmus-object';

export function tabId(name: string): string {
  return idFor(`tab ${name}`);
}

export class Objects extends LightElement {
  static override properties = ['words', 'pages', 'content', 'findings', 'current', 'query'];

  declare words: Words;
  declare pages: readonly Page[];
  declare content: ConfigContent;
  declare findings: Findings;
  declare current: string;
  declare protected query: string;

  constructor() {
    super();
    this.query = '';
  }

  get #shown(): readonly Page[] {
    const words = fold(this.query).split(/\s+/);
    return this.pages.filter(({ name, title }) => words.every((word) => fold(`${title} ${name}`).includes(word)));
  }

  protected override render(): TemplateResult {
    const { words } = this;
    const shown = this.#shown;
    return html`<div class="nav-wide">
        ${this.pages.length < MANY ? nothing : this.#search()}
        <div class="nav" part="nav" role="tablist" aria-orientation="vertical" aria-label=${words.say('form.objects')}
          @keydown=${this.#pressed}>${shown.map((page) => this.#tab(page, shown))}</div>
        ${shown.length ? nothing : html`<p class="hint">${words.say('form.noObjectFound')}</p>`}
      </div>
      ${this.#narrow()}`;
  }

  #search(): TemplateResult {
    const label = this.words.say('form.searchObjects');
    return html`<input class="input" part="input" type="search" aria-label=${label} placeholder=${label} dir="auto"
      .value=${this.query} @input=${(event: Event) => { this.query = (event.target as HTMLInputElement).value; }}>`;
  }

  #tab(page: Page, shown: readonly Page[]): TemplateResult {
    const selected = page.name === this.current;
    const reachable = selected || (page === shown[0] && !shown.some(({ name }) => name === this.current));
    return html`<button type="button" class="tab" part="tab" role="tab" id=${tabId(page.name)} aria-selected=${selected}
      aria-controls=${PANEL} tabindex=${reachable ? 0 : -1} data-object=${page.name} @click=${() => this.#show(page)}>
      <bdi class="tab-title">${page.title}</bdi>
      <span class="tab-state">${this.#stateText(page)}</span>
      ${this.#count(page)}
    </button>`;
  }

  #stateText(page: Page): string {
    const { words, content } = this;
    if (page.error !== undefined) return words.say('form.unknown');
    const read = reads(page, readOf(content, page.name));
    const write = page.write !== undefined && writeOf(content, page.name) !== undefined;
    return words.say(read && write ? 'form.readAndWritten' : read ? 'form.isRead' : write ? 'form.isWritten'
      : 'form.off');
  }

  #count(page: Page): TemplateResult | typeof nothing {
    const { label, count, errors } = this.#issues(page);
    if (!count) return nothing;
    return html`<span class="count ${errors ? '' : 'warning'}" part="count"><span
      aria-hidden="true">${count}</span>
      <span class="visually-hidden">${label}</span></span>`;
  }

  /** How many problems an object has, or else how many hints. */
  #issues(page: Page): { label: string; count: number; errors: number } {
    const issues = this.findings.of(page);
    const errors = issues.filter(isError).length;
    const count = errors || issues.length;
    return { label: this.words.say(errors ? 'form.errors' : 'form.warnings', { count }), count, errors };
  }

  #narrow(): TemplateResult {
    // A select shows one line, and has no place for more.
    const text = (page: Page): string => {
      const { label, count } = this.#issues(page);
      return `${page.title} · ${count ? label : this.#stateText(page)}`;
    };
    return html`<label class="nav-narrow field"><span class="label">${this.words.say('form.object')}</span>
      <select class="input" part="input"
        @change=${(event: Event) => this.#open((event.target as HTMLSelectElement).value)}>
        ${this.pages.map((page) => html`<option value=${page.name}
          .selected=${page.name === this.current}>${text(page)}</option>`)}
      </select></label>`;
  }

  #pressed(event: KeyboardEvent): void {
    const shown = this.#shown;
    const index = shown.findIndex(({ name }) => name === this.current);
    const places: Record<string, number> = {
      ArrowDown: (index + 1) % shown.length,
      ArrowUp: (index - 1 + shown.length) % shown.length,
      Home: 0,
      End: shown.length - 1,
    };
    const page = Object.hasOwn(places, event.key) ? shown[places[event.key] ?? -1] : undefined;
    if (!page) return;
    event.preventDefault();
    this.#show(page);
    void this.updateComplete.then(() => {
      const tabs = [...this.querySelectorAll<HTMLElement>('[role=tab]')];
      tabs.find((tab) => tab.dataset['object'] === page.name)?.focus();
    });
  }

  #show(page: Page): void {
    this.#open(page.name);
  }

  #open(name: string): void {
    this.dispatchEvent(new CustomEvent(OPEN, { detail: name }));
  }
}

define('isthmus-part-objects', Objects);

declare global {
  interface HTMLElementTagNameMap {
    'isthmus-part-objects': Objects;
  }
}
