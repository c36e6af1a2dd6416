/**
 * `<isthmus-part-picker>`: choosing one of hundreds of fields. A combobox as the ARIA practices draw it: the focus
 * stays in the input, arrows move through the list, and only as many options are drawn as a person reads.
 *
 * https://www.w3.org/WAI/ARIA/apg/patterns/combobox/
 */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import type { Fields } from '../contract.js';
import type { FieldMetadata } from '../shapes.js';
import { findField, hasTwin, labelOf, searchFields } from './field-search.js';
import { typeText } from './form-bits.js';
import { LightElement } from './light.js';
import { define, type Changed } from './reactive.js';
import { announce } from './parts.js';
import type { Words } from './words.js';

/** Options that are drawn at once. More cannot be read, and each one costs time at every key. */
export const SHOWN = 50;

/** A person's choice; the detail is the field's API name, or empty for none. */
export const PICK = 'isthmus-pick';

export class Picker extends LightElement {
  static override properties = [
    'words', 'fields', 'value', 'inputId', 'labelledBy', 'describedBy', 'invalid', 'required', 'writing', 'wanted',
    'placeholder', 'query', 'open', 'active', 'upward',
  ];

  declare words: Words;
  declare fields: Fields;
  /** The API name of the chosen field. */
  declare value: string | undefined;
  declare inputId: string;
  declare labelledBy: string;
  declare describedBy: string;
  declare invalid: boolean;
  declare required: boolean;
  /** The field will be written: those that only the provider sets are marked. */
  declare writing: boolean;
  declare wanted: ((field: FieldMetadata) => boolean) | undefined;
  declare placeholder: string | undefined;
  /** What was typed since it was opened; `undefined` while the input shows what is chosen. */
  declare protected query: string | undefined;
  declare protected open: boolean;
  declare protected active: number;
  declare protected upward: boolean;

  #found: FieldMetadata[] = [];
  #asked: { query: string; fields: Fields; wanted: unknown } | undefined;

  constructor() {
    super();
    this.open = false;
    this.active = -1;
    this.upward = false;
    this.invalid = false;
    this.required = false;
    this.writing = false;
    this.describedBy = '';
    this.addEventListener('focusout', (event) => {
      if (!this.contains(event.relatedTarget as Node | null)) this.#close();
    });
  }

  override focus(): void {
    this.#input?.focus();
  }

  get #input(): HTMLInputElement | null {
    return this.querySelector('input');
  }

  protected override willUpdate(): void {
    if (this.open) this.#search();
  }

  /** Search once for each query; moving through the list is no new search. */
  #search(): void {
    const query = this.query ?? '';
    const { fields, wanted } = this;
    const asked = this.#asked;
    if (asked && asked.query === query && asked.fields === fields && asked.wanted === wanted) return;
    this.#asked = { query, fields, wanted };
    this.#found = searchFields(fields, query, wanted);
    if (query) this.active = this.#found.length ? 0 : -1;
    // Emptied: Enter takes the choice away. Just opened: it stands on what is chosen.
    else this.active = this.query === '' ? -1
      : this.#found.slice(0, SHOWN).findIndex((each) => each.fieldName === this.value);
  }

  protected override updated(changed: Changed): void {
    if (!this.open) return;
    if (changed.has('active')) this.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
    if (changed.has('query') && this.query) this.dispatchEvent(announce(this.#counted()));
  }

  #counted(): string {
    return this.words.say(this.#found.length ? 'form.found' : 'form.noneFound', { count: this.#found.length });
  }

  protected override render(): TemplateResult {
    const chosen = findField(this.fields, this.value);
    const text = this.query ?? (chosen ? labelOf(chosen) : (this.value ?? ''));
    const list = `${this.inputId}-list`;
    return html`<div class="picker" part="picker">
      <input class="input" part="input" type="text" role="combobox" id=${this.inputId} autocomplete="off"
        autocapitalize="none" spellcheck="false" aria-autocomplete="list" aria-haspopup="listbox"
        aria-expanded=${this.open} aria-controls=${list} aria-labelledby=${this.labelledBy}
        aria-describedby=${this.describedBy || nothing} aria-invalid=${this.invalid ? 'true' : 'false'}
        aria-required=${this.required}
        aria-activedescendant=${this.open && this.active >= 0 ? `${list}-${this.active}` : nothing}
        placeholder=${this.placeholder ?? this.words.say('form.chooseField')} .value=${text}
        @input=${this.#typed} @keydown=${this.#pressed} @click=${this.#clicked}>
      ${this.value === undefined ? nothing : this.#clearButton()}
      <ul class="picker-list ${this.upward ? 'upward' : ''}" part="picker-list" role="listbox" id=${list}
        aria-labelledby=${this.labelledBy} ?hidden=${!this.open} @mousedown=${keepFocus}>
        ${this.open ? this.#options(list) : nothing}
      </ul>
    </div>`;
  }

  #clearButton(): TemplateResult {
    return html`<button type="button" class="picker-clear" part="clear" aria-label=${this.words.say('form.clear')}
      aria-describedby=${this.labelledBy} @click=${() => this.#pick('')}>×</button>`;
  }

  #options(list: string): TemplateResult {
    const more = this.#found.length - SHOWN;
    return html`${this.#found.slice(0, SHOWN).map((field, index) => this.#option(field, index, list))}
      ${this.#found.length ? nothing : html`<li class="picker-rest"
        role="presentation">${this.words.say('form.noneFound')}</li>`}
      ${more > 0 ? html`<li class="picker-rest"
        role="presentation">${this.words.say('form.moreFields', { count: more })}</li>` : nothing}`;
  }

  #option(field: FieldMetadata, index: number, list: string): TemplateResult {
    const { words } = this;
    const label = labelOf(field);
    const named = label !== field.fieldName || hasTwin(this.fields, field.fieldName);
    return html`<li class="option ${field.fieldName === this.value ? 'chosen' : ''}" part="option" role="option"
      id="${list}-${index}" aria-selected=${index === this.active} @click=${() => this.#pick(field.fieldName)}>
      <span class="option-label"><bdi>${label}</bdi>
        ${field.isCustom ? html`<span class="tag">${words.say('form.custom')}</span>` : nothing}
        ${field.readOnly ? html`<span
          class="tag ${this.writing ? 'warning' : ''}">${words.say('form.readOnly')}</span>` : nothing}
      </span>
      <span class="option-detail">${named ? html`<bdi class="mono">${field.fieldName}</bdi>` : nothing}
        <span>${typeText(field, words)}</span></span>
    </li>`;
  }

  #typed(event: Event): void {
    this.query = (event.target as HTMLInputElement).value;
    this.#show();
  }

  #clicked(): void {
    if (this.open) return;
    this.#show();
    this.#input?.select();
  }

  #show(): void {
    if (this.open) return;
    this.#asked = undefined;
    const box = this.getBoundingClientRect();
    const below = window.innerHeight - box.bottom;
    this.upward = below < 260 && box.top > below;
    this.open = true;
  }

  #close(): void {
    this.open = false;
    this.query = undefined;
    this.active = -1;
  }

  #pressed(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const last = Math.min(this.#found.length, SHOWN) - 1;
    const steps: Record<string, () => void> = {
      ArrowDown: () => this.#move(this.active >= last ? 0 : this.active + 1, event.altKey),
      ArrowUp: () => this.#move(this.active <= 0 ? last : this.active - 1, event.altKey),
      PageDown: () => this.#move(Math.min(last, this.active + 8), false),
      PageUp: () => this.#move(Math.max(0, this.active - 8), false),
    };
    if (Object.hasOwn(steps, event.key)) {
      event.preventDefault();
      steps[event.key]?.();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      this.#enter();
    } else if (event.key === 'Escape' && this.open) {
      event.stopPropagation();
      this.#close();
    }
  }

  #move(index: number, onlyOpen: boolean): void {
    if (this.open) this.active = index;
    else this.#show();
    if (onlyOpen) this.active = -1;
  }

  #enter(): void {
    const field = this.#found[this.active];
    if (!this.open) this.#show();
    else if (field) this.#pick(field.fieldName);
    else if (this.query === '') this.#pick('');
  }

  #pick(fieldName: string): void {
    this.#close();
    this.#input?.focus();
    if (fieldName !== (this.value ?? '')) this.dispatchEvent(new CustomEvent(PICK, { detail: fieldName }));
  }
}

/** A click on an option must not take the focus from the input. */
function keepFocus(event: Event): void {
  event.preventDefault();
}

define('isthmus-part-picker', Picker);

declare global {
  interface HTMLElementTagNameMap {
    'isthmus-part-picker': Picker;
  }
}
