/** Small things that every section of the form draws alike: names, types, switches, headings and issues. */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import type { Choice, FieldMetadata, Issue } from '../shapes.js';
import { isError } from './form-issues.js';
import type { Words } from './words.js';

type Drawn = TemplateResult | typeof nothing;

/** The type in a person's words; what the provider calls it where the protocol has no name for it. */
export function typeText(field: FieldMetadata, words: Words): string {
  const { valueType, providerType } = field;
  if (providerType !== undefined && (valueType ?? 'other') === 'other') return providerType;
  return words.say(`form.type.${valueType ?? 'other'}`);
}

/** An API name beside its label; nothing where both are the same. */
export function apiName(name: string | undefined, label = ''): Drawn {
  return name === undefined || name === label ? nothing : html`<bdi class="mono" part="api-name">${name}</bdi>`;
}

/** What is wrong with a control; the control names `id` in its `aria-describedby`. */
export function problems(issues: readonly Issue[], id: string): Drawn {
  if (!issues.length) return nothing;
  return html`<div class="problems" id=${id}>${issues.map(
    (issue) => html`<p class="problem ${isError(issue) ? '' : 'warning'}" part="issue">${sentence(issue)}</p>`,
  )}</div>`;
}

/** Messages are written to stand behind a path; beside the control they begin a sentence. */
export function sentence({ message, remedy }: Pick<Issue, 'message' | 'remedy'>): string {
  const told = [message, remedy].filter((text) => text !== undefined && text !== '');
  return told.map((text = '') =>
    `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/[.!?]?$/, (end) => end || '.')}`).join(' ');
}

export function describedBy(...ids: (string | false | undefined)[]): string {
  return ids.filter(Boolean).join(' ');
}

/** A button that does not stand out. */
export function quiet(text: string, click: () => void, disabled = false): TemplateResult {
  return html`<button type="button" class="button quiet" part="button" ?disabled=${disabled}
    @click=${click}>${text}</button>`;
}

/** The wish to see more than the first ones of a long list; nothing where all are seen. */
export function showMore(count: number, words: Words, click: () => void): Drawn {
  return count > 0 ? quiet(words.say('form.showMore', { count }), click) : nothing;
}

/** The options of a select, after one for nothing. A value that is no choice any more is one as long as it stands. */
export function options(
  choices: readonly Choice[], now: string, none?: string, isTaken: (value: string) => boolean = () => false,
): TemplateResult[] {
  const isKnown = choices.some(({ value }) => value === now) || (now === '' && none !== undefined);
  const all = [
    ...(none === undefined ? [] : [{ value: '', displayValue: none }]), ...choices,
    ...(isKnown ? [] : [{ value: now, displayValue: now }]),
  ];
  return all.map(({ value, displayValue }) => html`<option value=${value} .selected=${value === now}
    ?disabled=${isTaken(value)}>${displayValue || value}</option>`);
}

interface Switch {
  id: string;
  label: string;
  hint?: string;
  on: boolean;
  disabled?: boolean;
  issues?: readonly Issue[];
  change(on: boolean): void;
}

export function switchRow({ id, label, hint, on, disabled = false, issues = [], change }: Switch): TemplateResult {
  const described = describedBy(hint && `${id}-hint`, issues.length > 0 && `${id}-issues`);
  return html`<div class="switch-row">
    <label class="switch"><input type="checkbox" role="switch" part="switch" id=${id} .checked=${on}
      ?disabled=${disabled}
      aria-describedby=${described || nothing}
      @change=${(event: Event) => change((event.target as HTMLInputElement).checked)}><span>${label}</span></label>
    ${hint ? html`<p class="hint" id="${id}-hint">${hint}</p>` : nothing}
    ${problems(issues, `${id}-issues`)}
  </div>`;
}
