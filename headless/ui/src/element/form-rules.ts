/**
 * `<isthmus-part-rules>`: what is written when the product sends nothing, and what may be overwritten, field by field.
 * Each row says in words what holds; it opens to change it. What the manifest says stands beneath and comes back when a
 * person's own choice is given up.
 */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import type { Installer } from '../contract.js';
import type {
  FieldDefault, FieldMetadata, FieldSettings, Issue, ReadObjectConfig, WriteObjectConfig,
} from '../shapes.js';
import './default-input.js';
import { showDefault } from './default-input.js';
import { findField, labelOf } from './field-search.js';
import { apiName, describedBy, problems, quiet, showMore } from './form-bits.js';
import { isError, settingsPath, within, type Findings } from './form-issues.js';
import type { Page } from './form-model.js';
import { effective, slotsOf, withMember, type Slot } from './form-rules-model.js';
import { idFor, LightElement } from './light.js';
import { define } from './reactive.js';
import './picker.js';
import type { Key } from './strings.js';
import type { Words } from './words.js';

/** Rows that are drawn at first, and with each wish for more. */
const STEP = 40;

const ON_CREATE = [['always', 'form.createAlways'], ['never', 'form.createNever']] as const;
const ON_UPDATE = [['always', 'form.updateAlways'], ['ifEmpty', 'form.updateIfEmpty'], ['never',
  'form.updateNever']] as const;

export class Rules extends LightElement {
  static override properties = [
    'installer', 'words', 'page', 'read', 'write', 'findings', 'provider', 'opened', 'added', 'adding', 'limit',
  ];

  declare installer: Installer;
  declare words: Words;
  declare page: Page;
  declare read: ReadObjectConfig | undefined;
  declare write: WriteObjectConfig;
  declare findings: Findings;
  declare provider: string;
  declare protected opened: ReadonlySet<string>;
  declare protected added: readonly string[];
  declare protected adding: boolean;
  declare protected limit: number;

  #slots: Slot[] = [];
  #shownPage = '';

  constructor() {
    super();
    this.#forget();
  }

  #forget(): void {
    this.opened = new Set();
    this.added = [];
    this.adding = false;
    this.limit = STEP;
  }

  protected override willUpdate(): void {
    if (this.#shownPage !== this.page.name) this.#forget();
    this.#shownPage = this.page.name;
    this.#slots = slotsOf(this.page, this.read, this.write, this.added);
  }

  /** Open the row of a setting, so that its controls can be reached; answers the id of the control. */
  reveal(control: string): string | undefined {
    const slot = this.#slots.find((each) => this.#pathsOf(each).some((path) => within(control, path)));
    if (!slot) return undefined;
    this.limit = Math.max(this.limit, this.#slots.indexOf(slot) + 1);
    this.opened = new Set([...this.opened, slot.key]);
    return idFor(/\.(default|writeOn\w+)$/.test(control) ? control
      : `${settingsPath(this.page.name, slot.key)}.default`);
  }

  #pathsOf({ key, field }: Slot): string[] {
    return [settingsPath(this.page.name, key), settingsPath(this.page.name, field)];
  }

  #issuesOf(slot: Slot): readonly Issue[] {
    return [...new Set(this.#pathsOf(slot).flatMap((path) => this.findings.below(path)))];
  }

  protected override render(): TemplateResult {
    const { words, page } = this;
    const slots = this.#slots;
    const id = idFor(`rules ${page.name}`);
    return html`<section class="section" part="section" aria-labelledby=${id}>
      <h4 id=${id}>${words.say('form.rules')}</h4>
      <p class="hint">${words.say('form.rulesHint', { provider: this.provider })}</p>
      ${slots.length ? html`<ul
        class="rules">${slots.slice(0, this.limit).map((slot) => this.#rule(slot))}</ul>` : nothing}
      ${showMore(slots.length - this.limit, words, () => { this.limit += STEP; })}
      ${this.#adder()}
    </section>`;
  }

  #rule(slot: Slot): TemplateResult {
    const path = settingsPath(this.page.name, slot.key);
    const id = idFor(path);
    const open = this.opened.has(slot.key);
    const issues = this.#issuesOf(slot);
    const label = slot.meta ? labelOf(slot.meta) : slot.field;
    return html`<li class="rule ${open ? 'open' : ''}" part="rule">
      <button type="button" class="rule-head" part="rule-head" id=${id} aria-expanded=${open}
        aria-controls="${id}-panel"
        aria-describedby=${describedBy(issues.length > 0 && `${id}-issues`) || nothing}
          @click=${() => this.#toggle(slot.key)}>
        <span class="rule-name"><bdi>${slot.title}</bdi>
          <span class="option-detail">${slot.mapped === undefined || label === slot.title
            ? apiName(slot.field, slot.title)
            : html`<span class="arrow small" aria-hidden="true"></span><bdi>${label}</bdi>`}
            ${slot.meta?.isRequired ? html`<span
              class="tag">${this.words.say('form.required')}</span>` : nothing}</span></span>
        <span class="rule-says">${this.#summary(slot)}</span>
      </button>
      ${open ? nothing : problems(issues, `${id}-issues`)}
      <div id="${id}-panel" class="rule-body"
        ?hidden=${!open}>${open ? this.#editor(slot, path, issues) : nothing}</div>
    </li>`;
  }

  #toggle(key: string): void {
    const opened = new Set(this.opened);
    if (!opened.delete(key)) opened.add(key);
    this.opened = opened;
  }

  /** What holds, in a few words for each thing that is out of the ordinary. */
  #summary(slot: Slot): TemplateResult | TemplateResult[] {
    const { words } = this;
    const { default: given, writeOnCreate, writeOnUpdate } = effective(slot);
    const said: [keyof FieldSettings, string][] = [];
    if (given) said.push(['default',
      words.say('form.saysDefault', { value: showDefault(given, slot.meta, words) || '""' })]);
    if (writeOnCreate === 'never') said.push(['writeOnCreate', words.say('form.saysNotOnCreate')]);
    if (writeOnUpdate === 'never') said.push(['writeOnUpdate', words.say('form.saysNotOnUpdate')]);
    if (writeOnUpdate === 'ifEmpty') said.push(['writeOnUpdate', words.say('form.saysIfEmpty')]);
    if (!said.length) return html`<span class="muted">${words.say('form.saysNothing')}</span>`;
    return said.map(([member, text]) => html`<span class="says ${slot.own?.[member] === undefined ? 'inherited' : ''}"
      part="rule-says">
      <bdi>${text}</bdi></span>`);
  }

  #editor(slot: Slot, path: string, issues: readonly Issue[]): TemplateResult {
    const { words } = this;
    const id = idFor(`${path}.default`);
    const mine = issues.filter((issue) => this.#pathsOf(slot).some((each) => within(issue.path, `${each}.default`)));
    const others = issues.filter((issue) => !mine.includes(issue));
    return html`
      <div class="field"><p class="label"
        id="${id}-label">${words.say('form.default', { app: words.say('form.app') })}</p>
        <isthmus-part-default .words=${words} .field=${slot.meta} .value=${slot.own?.default}
          .inherited=${slot.inherited?.default}
          .inputId=${id} .labelledBy=${`${id}-label ${idFor(path)}`}
            .describedBy=${describedBy(mine.length > 0 && `${id}-issues`)}
          .invalid=${mine.some(isError)}
            @isthmus-default=${(event: CustomEvent<FieldDefault | null>) =>
              this.#set(slot, { default: event.detail ?? undefined })}
        ></isthmus-part-default>
        ${problems(mine, `${id}-issues`)}
      </div>
      ${this.#options(slot, 'writeOnCreate', path, 'form.onCreate', ON_CREATE)}
      ${this.#options(slot, 'writeOnUpdate', path, 'form.onUpdate', ON_UPDATE)}
      ${problems(others, `${idFor(path)}-issues`)}
      ${slot.own === undefined && !this.added.includes(slot.key) ? nothing : html`<div class="row">${quiet(
        words.say(slot.inherited ? 'form.resetRule' : 'form.removeRule', { app: words.say('form.app') }), () =>
          this.#reset(slot))}</div>`}`;
  }

  #options(
    slot: Slot,
    member: 'writeOnCreate' | 'writeOnUpdate',
    path: string,
    legend: Key,
    choices: readonly (readonly [string, Key])[],
  ): TemplateResult {
    const { words } = this;
    const id = idFor(`${path}.${member}`);
    const inherited = slot.inherited?.[member];
    const now = effective(slot)[member] ?? 'always';
    return html`<fieldset class="options" part="options"><legend class="label">${words.say(legend)}</legend>
      ${choices.map(([value, key]) => html`<label class="check"><input type="radio" part="radio" name=${id}
          id=${value === now ? id : `${id}-${value}`} .checked=${value === now}
          @change=${() => this.#set(slot, { [member]: value === (inherited ?? 'always') ? undefined : value })}>
        <span class="check-text">${words.say(key, { provider: this.provider })}
          ${value === inherited ? html`<span
            class="tag">${words.say('form.setBy', { app: words.say('form.app') })}</span>` : nothing}</span></label>`)}
    </fieldset>`;
  }

  #set(slot: Slot, change: Partial<Record<keyof FieldSettings, unknown>>): void {
    const settings = withMember(slot.own, change);
    // A row stays while it is worked on, even where nothing is left to say.
    if (!settings && !this.added.includes(slot.key)) this.added = [...this.added, slot.key];
    this.#save(slot, settings);
  }

  #reset(slot: Slot): void {
    this.added = this.added.filter((key) => key !== slot.key);
    this.#save(slot, undefined);
    void this.updateComplete.then(() =>
      this.querySelector<HTMLElement>(`#${idFor(settingsPath(this.page.name, slot.key))}`)?.focus());
  }

  #save({ key }: Slot, settings: FieldSettings | undefined): void {
    this.installer.draft.writeObject(this.page.name).setFieldSettings({ fieldName: key, settings });
  }

  #adder(): TemplateResult | typeof nothing {
    const { words, page } = this;
    const taken = new Set(this.#slots.map(({ field }) => field));
    const wanted = this.#addable(taken);
    if (!Object.values(page.fields).some(wanted)) return nothing;
    const id = idFor(`add ${page.name}`);
    if (!this.adding) {
      return html`<div class="row"><button type="button" class="button" part="button" id="${id}-button"
        @click=${this.#add}>
        ${words.say('form.addRule')}</button></div>`;
    }
    return html`<div class="field adder"><label class="label" id="${id}-label"
      for=${id}>${words.say('form.addRuleFor')}</label>
      <isthmus-part-picker .words=${words} .fields=${page.fields} .inputId=${id} .labelledBy=${`${id}-label`}
        .wanted=${wanted}
        .value=${undefined}
          @isthmus-pick=${(event: CustomEvent<string>) => this.#addFor(event.detail)}></isthmus-part-picker></div>`;
  }

  #wantedFor = '';
  #wanted: (field: FieldMetadata) => boolean = () => true;

  /** The same function as long as it answers the same, so that the search is not done again. */
  #addable(taken: Set<string>): (field: FieldMetadata) => boolean {
    const key = `${this.page.name} ${[...taken].join('\n')}`;
    if (key !== this.#wantedFor) {
      this.#wantedFor = key;
      this.#wanted = (field) => !field.readOnly && !taken.has(field.fieldName);
    }
    return this.#wanted;
  }

  #add(): void {
    this.adding = true;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>('.adder isthmus-part-picker')?.focus());
  }

  #addFor(fieldName: string): void {
    const field = findField(this.page.fields, fieldName);
    this.adding = false;
    if (!field) return;
    this.added = [...this.added, field.fieldName];
    this.opened = new Set([...this.opened, field.fieldName]);
    this.limit = Math.max(this.limit, this.#slots.length + 1);
    const id = idFor(`${settingsPath(this.page.name, field.fieldName)}.default`);
    void this.updateComplete.then(async () => {
      await this.querySelector('isthmus-part-default')?.updateComplete;
      this.querySelector<HTMLElement>(`#${id}`)?.focus();
    });
  }
}

define('isthmus-part-rules', Rules);

declare global {
  interface HTMLElementTagNameMap {
    'isthmus-part-rules': Rules;
  }
}
