/**
 * `<isthmus-part-form>`: everything that a customer configures: the list of objects beside the page of one of them. It
 * draws only the object that is shown, and a change of the draft draws nothing of the others.
 */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import type { Installer, Sample, State } from '../contract.js';
import type { Issue } from '../shapes.js';
import { sentence } from './form-bits.js';
import { Findings, isError, placeOf } from './form-issues.js';
import { pagesOf, readOf, writeOf, type Page } from './form-model.js';
import './form-nav.js';
import { PANEL, tabId } from './form-nav.js';
import './form-object.js';
import { LightElement } from './light.js';
import { define, type Changed } from './reactive.js';
import type { FormPart } from './parts.js';
import type { Words } from './words.js';

const NO_SAMPLES: readonly Sample[] = [];

export class Form extends LightElement implements FormPart {
  static override properties = ['installer', 'state', 'words', 'samples', 'current'];

  declare installer: Installer;
  declare state: State;
  declare words: Words;
  declare samples: readonly Sample[];
  /** The name of the object that is shown. */
  declare protected current: string;

  #pages: readonly Page[] = [];
  #findings = new Findings();

  constructor() {
    super();
    this.current = '';
    this.samples = NO_SAMPLES;
  }

  protected override willUpdate(changed: Changed): void {
    const before = (changed.has('state') ? changed.get('state') : this.state) as State | undefined;
    const { manifest, issues, content } = this.state;
    const isNew = changed.has('installer') || before?.manifest !== manifest || !this.#pages.length;
    if (isNew) this.#pages = pagesOf(manifest, this.installer.options.fieldMapping);
    const isTold = changed.has('words');
    if (isNew || isTold || before?.issues !== issues || (issues.length && before.content !== content)) {
      this.#findings = new Findings(issues.map((issue) => this.words.told(issue)), this.#pages, content);
    }
    if (!this.#pages.some(({ name }) => name === this.current)) this.current = this.#pages[0]?.name ?? '';
  }

  focusIssue(issue: Issue): boolean {
    const place = placeOf(issue, this.#pages, this.state.content);
    if (!place) {
      const list = this.querySelector<HTMLElement>('.astray');
      list?.focus();
      return list !== null;
    }
    this.current = place.page.name;
    void this.#focusControl(place.control);
    return true;
  }

  async #focusControl(control: string): Promise<void> {
    await this.updateComplete;
    const id = await this.querySelector('isthmus-part-object')?.reveal(control);
    const found = this.querySelector<HTMLElement>(`#${id}`) ?? this.querySelector<HTMLElement>('#isthmus-object-title');
    found?.focus();
    found?.scrollIntoView({ block: 'center' });
  }

  protected override render(): TemplateResult {
    const { words, state } = this;
    const pages = this.#pages;
    const page = pages.find(({ name }) => name === this.current);
    if (!page) return html`<p class="hint">${words.say(state.manifest ? 'form.nothing' : 'form.noManifest')}</p>`;
    return html`${this.#astray()}
      <div class="form ${pages.length > 1 ? 'many' : ''}" part="form">
        ${pages.length > 1 ? html`<isthmus-part-objects .words=${words} .pages=${pages} .content=${state.content}
          .findings=${this.#findings}
          .current=${this.current}
            @isthmus-open=${(event: CustomEvent<string>) =>
              { this.current = event.detail; }}></isthmus-part-objects>` : nothing}
        ${this.#page(page)}
      </div>`;
  }

  #page(page: Page): TemplateResult {
    const { installer, words, state } = this;
    const findings = this.#findings;
    const isTab = this.#pages.length > 1;
    return html`<isthmus-part-object id=${PANEL} role=${isTab ? 'tabpanel' : 'group'}
      aria-labelledby=${isTab ? tabId(page.name) : 'isthmus-object-title'} .installer=${installer} .words=${words}
        .page=${page}
      .read=${readOf(state.content, page.name)} .write=${page.write && writeOf(state.content, page.name)}
      .findings=${findings} .samples=${this.samples.length ? this.samples : NO_SAMPLES}
      .provider=${state.provider?.displayName ?? state.content.provider} .refreshing=${state.busy === 'refreshing'}
    ></isthmus-part-object>`;
  }

  /** What no control is there for. */
  #astray(): TemplateResult | typeof nothing {
    const issues = this.#findings.astray;
    if (!issues.length) return nothing;
    return html`<div class="note astray ${issues.some(isError) ? 'danger' : 'warning'}" part="issues" tabindex="-1">
      <strong>${this.words.say('form.astray')}</strong>
      <ul>${issues.map((issue) => html`<li><bdi class="mono">${issue.path}</bdi> ${sentence(issue)}</li>`)}</ul></div>`;
  }
}

define('isthmus-part-form', Form);

declare global {
  interface HTMLElementTagNameMap {
    'isthmus-part-form': Form;
  }
}
