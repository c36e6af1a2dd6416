/**
 * `<isthmus-part-default>`: the value that a field gets where the product sends none, asked for by the field's type. An
 * empty input is no default.
 */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import type { Choice, FieldDefault, FieldMetadata } from '../shapes.js';
import { options } from './form-bits.js';
import { valueOf } from './form-rules-model.js';
import { LightElement } from './light.js';
import { define } from './reactive.js';
import type { Words } from './words.js';

/** A person's choice; the detail is the default, or `null` for none. */
export const DEFAULT = 'isthmus-default';

/** Typing is one change, not one for each key. */
const PAUSE_MS = 250;

const INPUT_TYPES: Readonly<Record<string, string>> = { int: 'number', float: 'number', date: 'date',
  datetime: 'datetime-local' };

export class DefaultInput extends LightElement {
  static override properties = [
    'words', 'field', 'value', 'inherited', 'inputId', 'labelledBy', 'describedBy', 'invalid',
  ];

  declare words: Words;
  declare field: FieldMetadata | undefined;
  declare value: FieldDefault | undefined;
  /** What the manifest says, which counts while nothing is given here. */
  declare inherited: FieldDefault | undefined;
  declare inputId: string;
  declare labelledBy: string;
  declare describedBy: string;
  declare invalid: boolean;

  #waiting: ReturnType<typeof setTimeout> | undefined;

  disconnectedCallback(): void {
    clearTimeout(this.#waiting);
  }

  protected override render(): TemplateResult {
    const choices = this.field?.values ?? [];
    const type = this.field?.valueType;
    if (type === 'multiSelect' && choices.length) return this.#boxes(choices);
    if (type === 'boolean') return this.#select(this.#yesOrNo(), (text) => ({ booleanValue: text === 'true' }));
    if (type === 'singleSelect' && choices.length) return this.#select(choices, (text) => ({ stringValue: text }));
    return this.#typing(INPUT_TYPES[type ?? ''] ?? 'text');
  }

  #yesOrNo(): Choice[] {
    return [
      { value: 'true', displayValue: this.words.say('form.yes') },
      { value: 'false', displayValue: this.words.say('form.no') },
    ];
  }

  get #nothingSaid(): string {
    const inherited = showDefault(this.inherited, this.field, this.words);
    return inherited === '' ? this.words.say('form.noDefault') : this.words.say('form.defaultOf', { value: inherited });
  }

  #typing(type: string): TemplateResult {
    return html`<input class="input" part="input" dir=${type === 'text' ? 'auto' : nothing} id=${this.inputId}
      type=${type}
      step=${type === 'number' && this.field?.valueType === 'float' ? 'any' : nothing}
        aria-labelledby=${this.labelledBy}
      aria-describedby=${this.describedBy || nothing} aria-invalid=${this.invalid} placeholder=${this.#nothingSaid}
      .value=${textFor(this.value, type)} @input=${this.#typed} @change=${this.#settled}>`;
  }

  #typed(event: Event): void {
    const input = event.target as HTMLInputElement;
    clearTimeout(this.#waiting);
    // A number or a date that is half typed is no value yet.
    if (!input.validity.badInput) this.#waiting = setTimeout(() => this.#give(fromText(input)), PAUSE_MS);
  }

  #settled(event: Event): void {
    clearTimeout(this.#waiting);
    const input = event.target as HTMLInputElement;
    if (!input.validity.badInput) this.#give(fromText(input));
  }

  #select(choices: Choice[], read: (text: string) => FieldDefault): TemplateResult {
    const now = this.value === undefined ? '' : String(valueOf(this.value));
    const change = (event: Event): void => {
      const text = (event.target as HTMLSelectElement).value;
      this.#give(text === '' ? undefined : read(text));
    };
    return html`<select class="input" part="input" id=${this.inputId} aria-labelledby=${this.labelledBy}
      aria-describedby=${this.describedBy || nothing} aria-invalid=${this.invalid} @change=${change}>
      ${options(choices, now, this.#nothingSaid)}
    </select>`;
  }

  #boxes(choices: Choice[]): TemplateResult {
    const given = valueOf(this.value);
    const chosen = new Set(Array.isArray(given) ? given.map(String) : []);
    // What the account has given up can be given up here.
    const gone = [...chosen].filter((each) => !choices.some(({ value }) => value === each));
    const offered: Choice[] = [...choices, ...gone.map((value) => ({ value, displayValue: value }))];
    const change = (value: string, on: boolean): void => {
      const kept = offered.map((each) => each.value).filter((each) => (each === value ? on : chosen.has(each)));
      this.#give(kept.length ? { listValue: kept } : undefined);
    };
    return html`<div class="default-boxes" role="group" id=${this.inputId} tabindex="-1"
      aria-labelledby=${this.labelledBy}
      aria-describedby=${this.describedBy || nothing}>
      ${chosen.size ? nothing : html`<p class="hint">${this.#nothingSaid}</p>`}
      ${offered.map(({ value, displayValue }) => html`<label class="check"><input type="checkbox" part="checkbox"
        .checked=${chosen.has(value)}
          @change=${(event: Event) => change(value, (event.target as HTMLInputElement).checked)}>
        <span class="check-text"><bdi>${displayValue || value}</bdi></span></label>`)}
    </div>`;
  }

  #give(value: FieldDefault | undefined): void {
    if (JSON.stringify(value) === JSON.stringify(this.value)) return;
    this.dispatchEvent(new CustomEvent(DEFAULT, { detail: value }));
  }
}

function fromText({ type, value }: HTMLInputElement): FieldDefault | undefined {
  if (value === '') return undefined;
  if (type === 'number') return Number.isInteger(Number(value)) ? { integerValue: Number(value) }
    : { floatValue: Number(value) };
  if (type === 'date') return { dateValue: value };
  if (type === 'datetime-local') return { dateValue: new Date(value).toISOString().replace('.000Z', 'Z') };
  return { stringValue: value };
}

function textFor(given: FieldDefault | undefined, type: string): string {
  const value = valueOf(given);
  if (value === undefined) return '';
  if (type === 'date') return String(value).slice(0, 10);
  return type === 'datetime-local' ? localTime(String(value)) : String(value);
}

/** A moment as the input wants it: the browser's own time, without a zone. */
function localTime(text: string): string {
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) return '';
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** A default in a person's words: the labels of choices, yes and no. */
export function showDefault(given: FieldDefault | undefined, field: FieldMetadata | undefined, words: Words): string {
  const value = valueOf(given);
  if (value === undefined) return '';
  if (given?.dateValue) return words.date(given.dateValue);
  if (typeof value === 'boolean') return words.say(value ? 'form.yes' : 'form.no');
  const label = (each: string | number | boolean): string =>
    field?.values?.find((choice) => choice.value === String(each))?.displayValue || String(each);
  return Array.isArray(value) ? value.map(label).join(', ') : label(value);
}

define('isthmus-part-default', DefaultInput);

declare global {
  interface HTMLElementTagNameMap {
    'isthmus-part-default': DefaultInput;
  }
}
