/**
 * `<isthmus-part-mappings>`: which field of the account stands for each name of the product, and which of its choices
 * for each of the product's values.
 */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import type { Installer, ReadObjectDraft, WriteObjectDraft } from '../contract.js';
import type { Choice, FieldMetadata, MappedValue, ReadObjectConfig, WriteObjectConfig } from '../shapes.js';
import { own } from '../records.js';
import { findField, fold, labelOf } from './field-search.js';
import { apiName, describedBy, options, problems, quiet, typeText } from './form-bits.js';
import { isError, mappingPath, valuesPath, type Findings } from './form-issues.js';
import { chosenField, counts, inherits, reads, type Mapping, type Page } from './form-model.js';
import { idFor, LightElement } from './light.js';
import { define } from './reactive.js';
import './picker.js';
import type { Words } from './words.js';

type Drawn = TemplateResult | typeof nothing;

export class Mappings extends LightElement {
  static override properties = ['installer', 'words', 'page', 'read', 'write', 'findings', 'provider'];

  declare installer: Installer;
  declare words: Words;
  declare page: Page;
  declare read: ReadObjectConfig | undefined;
  declare write: WriteObjectConfig | undefined;
  declare findings: Findings;
  declare provider: string;

  protected override render(): Drawn {
    const { page, words, read } = this;
    const isUsed = reads(page, read) || inherits(page, this.write);
    const used = page.mappings.filter((mapping) => counts(mapping, read) && (isUsed || mapping.action === 'write'));
    const shown = [...used, ...this.#leftOver()];
    if (!shown.length) return nothing;
    const id = idFor(`mappings ${page.name}`);
    return html`<section class="section" part="section" aria-labelledby=${id}>
      <h4 id=${id}>${words.say('form.mappings')}</h4>
      <p class="hint">${words.say('form.mappingsHint', { provider: this.provider })}</p>
      <div class="mappings">${shown.map((mapping) => this.#mapping(mapping))}</div>
    </section>`;
  }

  /** Choices for names that nobody asks for any more: shown where something is wrong with them, to be given up. */
  #leftOver(): Mapping[] {
    const blocks = { read: this.read, write: this.write } as const;
    const known = new Set(this.page.mappings.map(({ name }) => name));
    return (['read', 'write'] as const).flatMap((action) =>
      Object.keys(blocks[action]?.selectedFieldMappings ?? {})
        .filter((name) => !known.has(name) && this.findings.at(mappingPath(action, this.page.name, name)).length)
        .map((name) => ({ name, title: name, action, required: false })),
    );
  }

  #mapping(mapping: Mapping): TemplateResult {
    const field = chosenField(mapping, this.read, this.write);
    return html`<div class="mapping" part="mapping">
      ${mapping.name === undefined ? this.#valuesOnly(mapping) : mapping.fixed === undefined
        ? this.#chooser(mapping, field) : this.#fixed(mapping)}
      ${mapping.values && field !== undefined ? this.#values(mapping.values, mapping, field) : nothing}
    </div>`;
  }

  #fixed(mapping: Mapping): TemplateResult {
    const field = findField(this.page.fields, mapping.fixed);
    return html`<div class="mapping-line"><div class="field"><span
      class="label"><bdi>${mapping.title}</bdi></span></div>
      <span class="arrow" aria-hidden="true"></span>
      <p class="fixed"><span class="visually-hidden">${this.words.say('form.isMapped')}</span>
        <bdi>${field ? labelOf(field) : mapping.fixed}</bdi>
        <span class="option-detail">${apiName(mapping.fixed, field && labelOf(field))}
        <span>${this.words.say('form.fixed')}</span></span></p></div>`;
  }

  #valuesOnly(mapping: Mapping): TemplateResult {
    const field = findField(this.page.fields, mapping.fixed);
    return html`<div class="field"><span class="label"><bdi>${field ? labelOf(field) : mapping.title}</bdi></span>
      ${mapping.prompt ? html`<p class="hint">${mapping.prompt}</p>` : nothing}</div>`;
  }

  #chooser(mapping: Mapping, chosen: string | undefined): TemplateResult {
    const { words, page } = this;
    const name = mapping.name ?? '';
    const path = mappingPath(mapping.action, page.name, name);
    const id = idFor(path);
    const issues = this.findings.below(path);
    return html`<div class="mapping-line">
      <div class="field"><label class="label" for=${id}><bdi id="${id}-label">${mapping.title}</bdi>
          ${mapping.required ? this.#needed(chosen) : html`<span
            class="optional">${words.say('form.optional')}</span>`}</label>
        ${mapping.prompt ? html`<p class="hint" id="${id}-hint">${mapping.prompt}</p>` : nothing}</div>
      <span class="arrow" aria-hidden="true"></span>
      <div class="field">
        <isthmus-part-picker .words=${words} .fields=${page.fields} .value=${chosen} .inputId=${id}
          .labelledBy=${`${id}-label`}
          .describedBy=${describedBy(mapping.prompt && `${id}-hint`, chosen !== undefined && `${id}-detail`,
            issues.length > 0 && `${id}-issues`)}
          .required=${mapping.required} .writing=${this.#isWritten(mapping)} .invalid=${issues.some(isError)}
          @isthmus-pick=${(event: CustomEvent<string>) => this.#choose(mapping, event.detail)}></isthmus-part-picker>
        ${chosen === undefined ? nothing : this.#detail(chosen, `${id}-detail`)}
        ${problems(issues, `${id}-issues`)}
      </div></div>`;
  }

  #needed(chosen: string | undefined): TemplateResult {
    return html`<span class="tag ${chosen === undefined ? 'warning' : ''}">${this.words.say('form.required')}</span>`;
  }

  #isWritten({ action }: Mapping): boolean {
    return this.write !== undefined && (action === 'write' || inherits(this.page, this.write));
  }

  #detail(name: string, id: string): TemplateResult {
    const field = findField(this.page.fields, name);
    return html`<p class="option-detail" id=${id}>${apiName(name, '')}
      <span>${field ? typeText(field, this.words) : this.page.error === undefined
        ? this.words.say('form.notInAccount') : nothing}</span>
      ${field?.readOnly ? html`<span class="tag">${this.words.say('form.readOnly')}</span>` : nothing}</p>`;
  }

  #draft(mapping: Mapping): ReadObjectDraft | WriteObjectDraft {
    const { draft } = this.installer;
    return mapping.action === 'read' ? draft.readObject(this.page.name) : draft.writeObject(this.page.name);
  }

  #choose(mapping: Mapping, fieldName: string): void {
    const mapToName = mapping.name ?? '';
    const before = chosenField(mapping, this.read, this.write);
    // Values were mapped to the choices of the field before; another field has others.
    if (mapping.values && before !== undefined && this.#chosenValues(mapping, before)) {
      this.#draft(mapping).setValueMapping({ fieldName: before, values: {} });
    }
    if (!fieldName) this.#draft(mapping).deleteFieldMapping(mapToName);
    else if (mapping.action === 'read' && !reads(this.page, this.read)) this.#mapForWriting(fieldName, mapToName);
    else this.#draft(mapping).setFieldMapping({ fieldName, mapToName });
  }

  /** A mapping that only writes inherit: to make it must not switch reading on. */
  #mapForWriting(fieldName: string, mapToName: string): void {
    const objectName = this.page.name;
    this.installer.draft.apply({ edit: 'mapField', objectName, mapToName, fieldName }, { edit: 'disableRead',
      objectName });
  }

  #chosenValues({ action }: Mapping, field: string): Record<string, string> | undefined {
    return own((action === 'read' ? this.read : this.write)?.selectedValueMappings, field);
  }

  #values(values: MappedValue[], mapping: Mapping, field: string): Drawn {
    const meta = findField(this.page.fields, field);
    if (!meta?.values?.length) return nothing;
    const path = valuesPath(mapping.action, this.page.name, field);
    const id = idFor(path);
    const chosen = this.#chosenValues(mapping, field) ?? {};
    const alike = matches(values, meta.values, chosen);
    return html`<div class="values" role="group" aria-labelledby="${id}-label">
      <div class="row"><p class="label small"
        id="${id}-label">${this.words.say('form.values', { field: labelOf(meta) })}</p>
        ${Object.keys(alike).length
          ? quiet(this.words.say('form.matchValues'), () => this.#setValues(mapping, field, { ...chosen, ...alike }))
            : nothing}</div>
      <div class="value-rows">${values
        .map((value, index) => this.#value(value, `${id}-${index}`, chosen, meta, mapping))}</div>
      ${problems(this.findings.below(path), id)}
    </div>`;
  }

  #value(value: MappedValue, id: string, chosen: Record<string, string>, meta: FieldMetadata,
    mapping: Mapping): TemplateResult {
    const mine = own(chosen, value.mappedValue) ?? '';
    const taken = new Set(Object.entries(chosen).filter(([name]) => name !== value.mappedValue)
      .map(([, other]) => other));
    return html`<label class="value-label" for=${id}><bdi>${value.mappedDisplayValue || value.mappedValue}</bdi></label>
      <span class="arrow" aria-hidden="true"></span>
      <select class="input" part="input" id=${id}
        @change=${(event: Event) => this.#setValue(event, value.mappedValue, chosen, meta.fieldName, mapping)}>
        ${options(meta.values ?? [], mine, this.words.say('form.chooseValue'), (each) => taken.has(each))}
      </select>`;
  }

  #setValue(event: Event, value: string, chosen: Record<string, string>, field: string, mapping: Mapping): void {
    const picked = (event.target as HTMLSelectElement).value;
    const others = Object.entries(chosen).filter(([name]) => name !== value);
    this.#setValues(mapping, field, Object.fromEntries(picked ? [...others, [value, picked]] : others));
  }

  #setValues(mapping: Mapping, fieldName: string, values: Record<string, string>): void {
    this.#draft(mapping).setValueMapping({ fieldName, values });
  }
}

/** Open values whose words are those of a free choice. */
function matches(values: MappedValue[], choices: Choice[], chosen: Record<string, string>): Record<string, string> {
  const taken = new Set(Object.values(chosen));
  const found: [string, string][] = [];
  for (const { mappedValue, mappedDisplayValue } of values) {
    if (Object.hasOwn(chosen, mappedValue)) continue;
    const names = new Set([fold(mappedValue), fold(mappedDisplayValue)]);
    const choice = choices.find((each) => !taken.has(each.value)
      && (names.has(fold(each.value)) || names.has(fold(each.displayValue))));
    if (!choice) continue;
    taken.add(choice.value);
    found.push([mappedValue, choice.value]);
  }
  return Object.fromEntries(found);
}

define('isthmus-part-mappings', Mappings);

declare global {
  interface HTMLElementTagNameMap {
    'isthmus-part-mappings': Mappings;
  }
}
