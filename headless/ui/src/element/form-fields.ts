/**
 * `<isthmus-part-fields>`: which fields of an object are read. Required ones are told, optional ones chosen: searched,
 * all, none, and never more of them drawn than a person looks at.
 */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import type { Installer } from '../contract.js';
import type { Edit } from '../edits.js';
import type { FieldMetadata, HydratedField, ReadObjectConfig } from '../shapes.js';
import { own } from '../records.js';
import { findField, searchFields } from './field-search.js';
import { apiName, describedBy, problems, quiet, showMore, switchRow, typeText } from './form-bits.js';
import { fieldPath, type Findings } from './form-issues.js';
import type { Page } from './form-model.js';
import { idFor, LightElement } from './light.js';
import { define } from './reactive.js';
import type { Words } from './words.js';

/** Boxes that are drawn at first, and with each wish for more. */
const STEP = 50;

interface Row {
  name: string;
  label: string;
  meta?: FieldMetadata;
}

export class FieldChoice extends LightElement {
  static override properties = ['installer', 'words', 'page', 'read', 'findings', 'query', 'chosenOnly', 'limit'];

  declare installer: Installer;
  declare words: Words;
  declare page: Page;
  declare read: ReadObjectConfig | undefined;
  declare findings: Findings;
  declare protected query: string;
  declare protected chosenOnly: boolean;
  declare protected limit: number;

  #rows: Row[] = [];
  #rowsOf: Page | undefined;

  constructor() {
    super();
    this.query = '';
    this.chosenOnly = false;
    this.limit = STEP;
  }

  protected override willUpdate(): void {
    if (this.#rowsOf === this.page) return;
    this.#rowsOf = this.page;
    this.#rows = rowsOf(this.page, (this.page.read?.optionalFields ?? []).filter(isField));
    this.query = '';
    this.chosenOnly = false;
    this.limit = STEP;
  }

  get #draft(): ReturnType<Installer['draft']['readObject']> {
    return this.installer.draft.readObject(this.page.name);
  }

  #isChosen(name: string): boolean {
    return own(this.read?.selectedFields, name) === true;
  }

  protected override render(): TemplateResult | typeof nothing {
    const required = (this.page.read?.requiredFields ?? []).filter(isField);
    const lost = this.#lost(required);
    if (!required.length && !this.#rows.length && !lost.length) return nothing;
    const { words } = this;
    return html`<section class="section" part="section" aria-labelledby=${idFor(`fields ${this.page.name}`)}>
      <h4 id=${idFor(`fields ${this.page.name}`)}>${words.say('form.fields')}</h4>
      ${required.length ? this.#required(required) : nothing}
      ${lost.map((row) => this.#box(row))}
      ${this.#rows.length ? this.#optional() : nothing}
    </section>`;
  }

  #required(fields: (HydratedField & { fieldName: string })[]): TemplateResult {
    const { words, page } = this;
    return html`<div class="field"><p class="hint"
      id=${idFor(`required ${page.name}`)}>${words.say('form.requiredFields')}</p>
      <ul class="chips"
        aria-labelledby=${idFor(`required ${page.name}`)}>${fields.slice(0, 2 * STEP).map((field) => html`
        <li class="pill" part="required-field"><bdi>${field.displayName || field.fieldName}</bdi></li>`)}
      </ul></div>`;
  }

  /** What was chosen once and is offered no more: shown as long as it is chosen, so that it can be given up. */
  #lost(required: readonly HydratedField[]): Row[] {
    const known = new Set([...this.#rows.map(({ name }) => name), ...required.map(({ fieldName }) => fieldName)]);
    return Object.entries(this.read?.selectedFields ?? {})
      .filter(([name, chosen]) => chosen && !known.has(name)
        && this.findings.at(fieldPath(this.page.name, name)).length)
      .map(([name]) => ({ name, label: name }));
  }

  #optional(): TemplateResult {
    const auto = this.read?.selectedFieldsAuto === 'all';
    const offered = this.page.read?.optionalFieldsAuto === 'all' || auto;
    const id = idFor(`auto ${this.page.name}`);
    return html`${offered ? switchRow({
        id,
        label: this.words.say('form.allFields', { count: this.#rows.length }),
        hint: this.words.say('form.allFieldsHint'),
        on: auto,
        change: (on) => this.#draft.setSelectedFieldsAuto(on),
      }) : nothing}
      ${auto ? nothing : this.#choice()}`;
  }

  #choice(): TemplateResult {
    const found = this.#found();
    const drawn = found.slice(0, this.limit);
    const count = this.#rows.filter(({ name }) => this.#isChosen(name)).length;
    const { words } = this;
    const group = idFor(`optional ${this.page.name}`);
    return html`<div class="choice" role="group" aria-labelledby=${group}>
      <p class="hint" id=${group}>${words.say('form.optionalFields', { count, all: this.#rows.length })}</p>
      ${this.#tools(found, count)}
      <div class="boxes" part="fields">${drawn.map((row) => this.#box(row))}
        ${found.length ? nothing : html`<p class="hint">${words.say('form.noneFound')}</p>`}
        ${showMore(found.length - drawn.length, words, () => { this.limit += 2 * STEP; })}
      </div></div>`;
  }

  #tools(found: Row[], count: number): TemplateResult {
    const { words } = this;
    const search = words.say('form.searchFields');
    return html`<div class="row tools">
      ${this.#rows.length < 8 ? nothing : html`<input class="input" part="input" type="search"
        aria-label=${search} placeholder=${search} dir="auto" .value=${this.query} @input=${this.#typed}>`}
      ${count || this.chosenOnly ? html`<button type="button" class="button quiet" part="button"
        aria-pressed=${this.chosenOnly}
        @click=${() => { this.chosenOnly = !this.chosenOnly; }}>${words.say('form.chosenOnly')}</button>` : nothing}
      ${quiet(this.query ? words.say('form.selectFound', { count: found.length }) : words.say('form.selectAll'),
        () => this.#selectAll(found, true))}
      ${quiet(words.say('form.selectNone'), () => this.#selectAll(found, false), !count)}
    </div>`;
  }

  #found(): Row[] {
    const shown = this.chosenOnly ? this.#rows.filter(({ name }) => this.#isChosen(name)) : this.#rows;
    if (!this.query.trim()) return shown;
    const rows = new Map(shown.map((row) => [row.name, row]));
    const fields = Object.fromEntries(shown
      .map(({ name, label, meta }) => [name, meta ?? { fieldName: name, displayName: label }]));
    const known = shown.every(({ meta }) => meta) && !this.chosenOnly;
    const hits = searchFields(known ? this.page.fields : fields, this.query, (field) => rows.has(field.fieldName));
    return hits.map((field) => rows.get(field.fieldName)).filter((row) => row !== undefined);
  }

  #typed(event: Event): void {
    this.query = (event.target as HTMLInputElement).value;
    this.limit = STEP;
  }

  #box({ name, label, meta }: Row): TemplateResult {
    const path = fieldPath(this.page.name, name);
    const issues = this.findings.at(path);
    const id = idFor(path);
    return html`<div class="box"><label class="check"><input type="checkbox" part="checkbox" id=${id}
      .checked=${this.#isChosen(name)}
        aria-describedby=${describedBy(issues.length > 0 && `${id}-issues`) || nothing}
        @change=${(event: Event) => this.#select(name, event)}>
      <span class="check-text"><bdi>${label}</bdi><span class="option-detail">${apiName(name, label)}
        ${meta ? html`<span>${typeText(meta, this.words)}</span>` : nothing}
        ${meta?.isCustom ? html`<span class="tag">${this.words.say('form.custom')}</span>` : nothing}</span></span>
      </label>${problems(issues, `${id}-issues`)}</div>`;
  }

  #select(fieldName: string, event: Event): void {
    this.#draft.setSelectedField({ fieldName, selected: (event.target as HTMLInputElement).checked });
  }

  #selectAll(rows: Row[], selected: boolean): void {
    const changed = rows.filter(({ name }) => this.#isChosen(name) !== selected);
    const objectName = this.page.name;
    this.installer.draft.apply(...changed
      .map(({ name }): Edit => ({ edit: 'selectField', objectName, fieldName: name, selected })));
  }
}

function isField(field: HydratedField): field is HydratedField & { fieldName: string } {
  return field.fieldName !== undefined;
}

function rowsOf(page: Page, fields: (HydratedField & { fieldName: string })[]): Row[] {
  return fields.map((field) => {
    const meta = findField(page.fields, field.fieldName);
    return { name: field.fieldName, label: field.displayName || field.fieldName, ...(meta && { meta }) };
  });
}


define('isthmus-part-fields', FieldChoice);

declare global {
  interface HTMLElementTagNameMap {
    'isthmus-part-fields': FieldChoice;
  }
}
