/**
 * `<isthmus-part-preview>`: what a sample record becomes under the draft, told by the server, which tells it from the
 * very plan that a write would send. It asks again whenever a choice or the sample changes, and drops answers that came
 * too late.
 */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import type { InstallError, Installer, Sample } from '../contract.js';
import type { Choice, Explanation } from '../shapes.js';
import { own } from '../records.js';
import { findField, labelOf } from './field-search.js';
import { apiName, options, sentence, showMore } from './form-bits.js';
import type { Page } from './form-model.js';
import { effective, type Slot } from './form-rules-model.js';
import { idFor, LightElement } from './light.js';
import { define, type Changed } from './reactive.js';
import { announce } from './parts.js';
import { changedFields, outcomeOf, type Outcome } from './preview-outcome.js';
import { buildRecord, fromText, linesOf, toText, type Line } from './sample-record.js';
import type { Words } from './words.js';

const PAUSE_MS = 200;
/** Lines that are drawn at first, and with each wish for more. */
const STEP = 25;

type Kind = 'create' | 'update';

/** What a person changed in the sample of one object. */
interface Edited {
  sent: ReadonlyMap<string, boolean>;
  values: ReadonlyMap<string, unknown>;
  current: ReadonlyMap<string, string>;
}

const UNTOUCHED: Edited = { sent: new Map(), values: new Map(), current: new Map() };

export class Preview extends LightElement {
  static override properties = [
    'installer', 'words', 'page', 'slots', 'samples', 'content', 'provider', 'kind', 'edited', 'told', 'failure',
    'waiting', 'limit',
  ];

  declare installer: Installer;
  declare words: Words;
  declare page: Page;
  declare slots: readonly Slot[];
  declare samples: readonly Sample[];
  /** What the draft says about this object; another one is another preview. */
  declare content: readonly unknown[];
  declare provider: string;
  declare protected kind: Kind;
  declare protected edited: ReadonlyMap<string, Edited>;
  declare protected told: Explanation | undefined;
  declare protected failure: InstallError | undefined;
  declare protected waiting: boolean;
  declare protected limit: number;

  #lines: Line[] = [];
  #changed: ReadonlySet<string> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #request: AbortController | undefined;
  #askedFor = '';
  #startedBy: string | undefined;

  constructor() {
    super();
    this.kind = 'create';
    this.edited = new Map();
    this.waiting = false;
    this.limit = STEP;
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.#askedFor = '';
  }

  protected override willUpdate(changed: Changed): void {
    if (changed.has('page') && (changed.get('page') as Page | undefined)?.name !== this.page.name) {
      this.told = undefined;
      this.#changed = new Set();
      this.failure = undefined;
      this.limit = STEP;
    }
    if (changed.has('slots') || changed.has('samples') || changed.has('page')) {
      this.#lines = linesOf(this.slots, this.#given);
    }
    this.#start(JSON.stringify(this.#given));
    const sample = JSON.stringify(this.#sample());
    if (changed.has('content') || sample !== this.#askedFor) this.#ask(sample);
  }

  /** A sample of the page's says whether the record exists; from then on the person says it. */
  #start(given: string | undefined): void {
    const isNew = given !== undefined && given !== this.#startedBy;
    if (isNew) this.kind = this.#given?.type === 'create' ? 'create' : 'update';
    this.#startedBy = given;
  }

  /** What has just changed is brought into sight within the preview, and the page stays where it is. */
  protected override updated(changed: Changed): void {
    const line = changed.has('told') && this.querySelector<HTMLElement>('.changed')?.closest('li');
    if (line) line.parentElement?.parentElement?.scrollTo({ top: line.offsetTop - 120 });
  }

  get #given(): Sample | undefined {
    return this.samples.find(({ objectName }) => objectName === this.page.name);
  }

  get #mine(): Edited {
    return this.edited.get(this.page.name) ?? UNTOUCHED;
  }

  #isSent({ name, sent }: Line): boolean {
    return this.#mine.sent.get(name) ?? sent;
  }

  #valueIn({ name, value }: Line): unknown {
    return this.#mine.values.has(name) ? this.#mine.values.get(name) : value;
  }

  /** What the provider has there now, as the sample says. */
  #currentOf(slot: Slot): string {
    const given = own(this.#given?.current, slot.field);
    return this.#mine.current.get(slot.field)
      ?? (given === undefined ? this.words.say('form.sampleCurrent') : toText(given));
  }

  #sample(): Sample {
    const update = this.kind === 'update';
    const members = this.#lines.filter((line) => this.#isSent(line))
      .map((line) => [line.name, this.#valueIn(line)] as const);
    const record = buildRecord(update ? [['id', this.#given?.record['id'] ?? '1'], ...members] : members);
    const asked = this.#lines.flatMap(({ slot }) =>
      (slot && asksCurrent(slot) ? [[slot.field, this.#currentOf(slot)] as const] : []));
    const current = buildRecord(asked.filter(([, value]) => value !== ''));
    const { type, matchKey } = this.#given ?? {};
    const kind = type === 'upsert' ? { type, matchKey } : { type: this.kind };
    return { objectName: this.page.name, ...kind, record, ...(update && { current }) };
  }

  #ask(sample: string): void {
    const first = this.#askedFor === '';
    this.#askedFor = sample;
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.waiting = true;
    this.#timer = setTimeout(() => void this.#fetch(JSON.parse(sample) as Sample), first ? 0 : PAUSE_MS);
  }

  async #fetch(sample: Sample): Promise<void> {
    const request = (this.#request = new AbortController());
    try {
      const told = await this.installer.preview(sample, request.signal);
      if (request.signal.aborted) return;
      this.#show(told);
    } catch (error) {
      if (request.signal.aborted) return;
      this.failure = error as InstallError;
    }
    this.waiting = false;
  }

  #show(told: Explanation): void {
    const changed = this.told ? changedFields(this.told, told) : this.#changed;
    if (changed.size) {
      this.#changed = changed;
      this.dispatchEvent(announce(this.words.say('form.previewChanged', { count: this.#changed.size })));
    }
    this.told = told;
    this.failure = undefined;
  }

  protected override render(): TemplateResult {
    const { words } = this;
    const lines = this.#lines;
    const id = idFor('preview');
    return html`<section class="preview" part="preview" aria-labelledby=${id} aria-busy=${this.waiting}>
      <div class="preview-head"><h4 id=${id}>${words.say('form.preview')}</h4>
        <p class="hint">${words.say('form.previewHint', { provider: this.provider })}</p></div>
      ${this.#kinds()}
      ${this.failure ? this.#failed(this.failure) : nothing}
      ${lines.length ? html`<ul class="lines">
        ${lines.slice(0, this.limit).map((line) => this.#line(line))}${this.#unasked()}</ul>`
        : html`<p class="hint">${words.say('form.previewEmpty')}</p>`}
      ${showMore(lines.length - this.limit, words, () => { this.limit += STEP; })}
    </section>`;
  }

  #kinds(): TemplateResult {
    const kinds = [['create', 'form.newRecord'], ['update', 'form.existingRecord']] as const;
    return html`<div class="segments" role="radiogroup"
      aria-label=${this.words.say('form.previewKind')}>${kinds.map(([kind, key]) => html`
      <label class="segment" part="segment"><input type="radio" name=${idFor('preview kind')}
        .checked=${kind === this.kind}
        @change=${() => { this.kind = kind; }}><span>${this.words.say(key)}</span></label>`)}</div>`;
  }

  #failed(failure: InstallError): TemplateResult {
    const { message, issues = [] } = this.words.told(failure);
    return html`<div class="note"
      part="note"><p><strong>${this.words.say('form.previewFailed')}</strong> ${issues.length ? '' : message}</p>
      ${issues.map((issue) => html`<p class="small"><bdi
        class="mono">${issue.path}</bdi> ${sentence(this.words.told(issue))}</p>`)}</div>`;
  }

  #line(line: Line): TemplateResult {
    const outcome = this.told && outcomeOf(this.told, line, this.#isSent(line), this.words);
    const id = idFor(`sample ${this.page.name} ${line.name}`);
    const sent = this.#isSent(line);
    return html`<li class="line">
      <div class="line-from">
        <label class="check line-name"><input type="checkbox" part="checkbox" .checked=${sent}
          aria-label=${this.words.say('form.sends', { name: line.title })}
          @change=${(event: Event) => this.#edit('sent', line.name, (event.target as HTMLInputElement).checked)}>
          <span class="check-text" id="${id}-label"><bdi>${line.title}</bdi></span></label>
        ${sent ? this.#value(line, id) : html`<p class="hint">${this.words.say('form.notInRecord')}</p>`}
      </div>
      <span class="arrow" aria-hidden="true"></span>
      <div class="line-to">${outcome ? this.#outcome(outcome) : html`<span class="skeleton-text"></span>`}
        ${line.slot && this.kind === 'update' && asksCurrent(line.slot) ? this.#current(line.slot) : nothing}</div>
    </li>`;
  }

  #value(line: Line, id: string): TemplateResult {
    const before = line.value;
    const now = toText(this.#valueIn(line));
    const choices = choicesOf(line);
    const change = (event: Event): void => {
      this.#edit('values', line.name, fromText((event.target as HTMLInputElement).value, before));
    };
    if (!choices.length) {
      return html`<input class="input small" part="input" type="text" dir="auto" id=${id}
        aria-labelledby="${id}-label ${idFor('preview')}"
        .value=${now} @input=${change}>`;
    }
    return html`<select class="input small" part="input" id=${id} aria-labelledby="${id}-label ${idFor('preview')}"
      @change=${change}>
      ${options(choices, now)}
    </select>`;
  }

  #current(slot: Slot): TemplateResult {
    const id = idFor(`current ${this.page.name} ${slot.field}`);
    return html`<div class="line-current"><label class="hint"
      for=${id}>${this.words.say('form.hasNow', { provider: this.provider })}</label>
      <input class="input small" part="input" type="text" dir="auto" id=${id} .value=${this.#currentOf(slot)}
        placeholder=${this.words.say('form.empty')}
        @input=${(event: Event) => this.#edit('current', slot.field, (event.target as HTMLInputElement).value)}></div>`;
  }

  #edit(member: keyof Edited, name: string, value: unknown): void {
    const mine = this.#mine;
    const next = { ...mine, [member]: new Map<string, unknown>([...mine[member], [name, value]]) } as Edited;
    this.edited = new Map([...this.edited, [this.page.name, next]]);
  }

  #outcome({ field, value, fate, why }: Outcome): TemplateResult {
    const { words } = this;
    const meta = findField(this.page.fields, field);
    const text = value === '' || value === null ? words.say('form.empty') : toText(value);
    const shown = meta?.valueType?.startsWith('date') ? words.date(text) : text;
    return html`<div class="outcome ${fate} ${this.#changed.has(field) ? 'changed' : ''}" part="outcome">
      <span class="outcome-field"><bdi>${meta
        ? labelOf(meta) : field}</bdi> ${apiName(field, meta && labelOf(meta))}</span>
      ${fate === 'sent' || fate === 'pending'
        ? html`<output class="outcome-value" part="outcome-value" dir="auto">${shown}</output>
          ${shown === text ? nothing : html`<bdi class="hint mono">${text}</bdi>`}`
        : html`<span class="muted" part="outcome-value">${words.say('form.notSent')}</span>`}
      ${why.map((text) => html`<p class="hint">${text}</p>`)}</div>`;
  }

  /** Fields that are sent though no line of the sample leads there. */
  #unasked(): TemplateResult[] {
    const { told, words } = this;
    if (!told) return [];
    const known = new Set(this.#lines.map(({ slot }) => slot?.field));
    const others = (told.records[0]?.fields ?? []).filter((each) => !known.has(each.field) && !each.inputs?.length);
    return others.map((each) => html`<li class="line"><div class="line-from"><p
      class="hint">${words.say('form.notInRecord')}</p></div>
      <span class="arrow" aria-hidden="true"></span>
      <div class="line-to">${this.#outcome(outcomeOf(told, { name: each.field, field: each.field }, false,
        words))}</div></li>`);
  }
}

function asksCurrent(slot: Slot): boolean {
  return effective(slot).writeOnUpdate === 'ifEmpty';
}

/** What the product could send: its own values where they are known, else the choices of the field. */
function choicesOf({ slot, value }: Line): Choice[] {
  if (slot?.values) return slot.values
    .map((each) => ({ value: each.mappedValue, displayValue: each.mappedDisplayValue }));
  if (typeof value === 'boolean') return [{ value: 'true', displayValue: 'true' }, { value: 'false',
    displayValue: 'false' }];
  return (slot?.meta?.valueType === 'singleSelect' && slot.meta.values) || [];
}

define('isthmus-part-preview', Preview);

declare global {
  interface HTMLElementTagNameMap {
    'isthmus-part-preview': Preview;
  }
}
