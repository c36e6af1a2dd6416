/**
 * `<isthmus-part-object>`: the page of one object: what it is used for, and under that the mappings, the fields, the
 * rules, and what a record would become.
 */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import type { Installer, Sample } from '../contract.js';
import type { ReadObjectConfig, WriteObjectConfig } from '../shapes.js';
import { sentence, switchRow } from './form-bits.js';
import './form-fields.js';
import './form-mappings.js';
import './form-rules.js';
import './preview.js';
import { objectPath, within, type Findings } from './form-issues.js';
import { inherits, isAlways, reads, type Page } from './form-model.js';
import { slotsOf, type Slot } from './form-rules-model.js';
import { idFor, LightElement } from './light.js';
import { define, type Changed } from './reactive.js';
import type { Words } from './words.js';

export class ObjectPage extends LightElement {
  static override properties = [
    'installer', 'words', 'page', 'read', 'write', 'findings', 'provider', 'samples', 'refreshing',
  ];

  declare installer: Installer;
  declare words: Words;
  declare page: Page;
  declare read: ReadObjectConfig | undefined;
  /** Absent while the object is not written. */
  declare write: WriteObjectConfig | undefined;
  declare findings: Findings;
  declare provider: string;
  declare samples: readonly Sample[];
  declare refreshing: boolean;

  #slots: readonly Slot[] = [];
  #content: readonly unknown[] = [];

  protected override willUpdate(changed: Changed): void {
    if (!changed.has('page') && !changed.has('read') && !changed.has('write')) return;
    this.#slots = slotsOf(this.page, this.read, this.write);
    this.#content = [this.page, this.read, this.write];
  }

  /** Make the control of a path reachable; answers the id of what takes the focus. */
  async reveal(control: string): Promise<string> {
    await this.updateComplete;
    const { name } = this.page;
    const settings = `${objectPath('write', name)}.selectedFieldSettings`;
    if (within(control, settings)) {
      const rules = this.querySelector('isthmus-part-rules');
      const id = rules?.reveal(control);
      await rules?.updateComplete;
      await Promise.all([...(rules?.querySelectorAll('isthmus-part-default') ?? [])]
        .map((each) => each.updateComplete));
      if (id !== undefined) return id;
    }
    const values = (['read', 'write'] as const)
      .some((action) => within(control, `${objectPath(action, name)}.selectedValueMappings`));
    return values ? `${idFor(control)}-0` : idFor(control);
  }

  protected override render(): TemplateResult {
    const { page, words } = this;
    const on = reads(page, this.read) || this.write !== undefined;
    return html`<header class="object-head" part="object-header">
        <h3 id="isthmus-object-title" tabindex="-1" part="object-title"><bdi>${page.title}</bdi></h3>
        ${page.title === page.name ? nothing : html`<bdi class="mono muted">${page.name}</bdi>`}
      </header>
      ${page.error === undefined ? nothing : this.#unknown(page.error)}
      <div class="switches">${this.#reading()}${this.#writing()}${this.#deleting()}</div>
      ${on ? this.#sections() : html`<p class="hint">${words.say('form.objectOff')}</p>`}`;
  }

  #unknown(error: string): TemplateResult {
    const { words } = this;
    return html`<div class="note warning" part="note"
      role="status"><p><strong>${words.say('form.notDescribed')}</strong> <bdi>${sentence({ message: error })}</bdi></p>
      <div class="row"><button type="button" class="button" part="button" ?disabled=${this.refreshing}
        @click=${() => void this.installer.refresh()}>${words.say('form.refresh')}</button></div></div>`;
  }

  #reading(): TemplateResult | typeof nothing {
    const { page, words, read } = this;
    if (!page.read) return nothing;
    const path = objectPath('read', page.name);
    const draft = (): ReturnType<Installer['draft']['readObject']> => this.installer.draft.readObject(page.name);
    return switchRow({
      id: idFor(path),
      label: words.say('form.read', { provider: this.provider }),
      ...(isAlways(page) && { hint: words.say('form.readAlways') }),
      on: reads(page, read),
      disabled: isAlways(page),
      issues: this.findings.at(path),
      change: (on) => (on ? draft().setEnableRead() : draft().setDisableRead()),
    });
  }

  #writing(): TemplateResult | typeof nothing {
    const { page, words } = this;
    if (!page.write) return nothing;
    const path = objectPath('write', page.name);
    const draft = (): ReturnType<Installer['draft']['writeObject']> => this.installer.draft.writeObject(page.name);
    return switchRow({
      id: idFor(path),
      label: words.say('form.write', { provider: this.provider }),
      on: this.write !== undefined,
      issues: this.findings.at(path),
      change: (on) => (on ? draft().setEnableWrite() : draft().setDisableWrite()),
    });
  }

  #deleting(): TemplateResult | typeof nothing {
    const { page, words, write } = this;
    const enabled = write?.deletionSettings?.enabled ?? false;
    const path = `${objectPath('write', page.name)}.deletionSettings`;
    const issues = this.findings.at(path);
    if (!write || !(page.write?.canDelete || enabled || issues.length)) return nothing;
    const draft = (): ReturnType<Installer['draft']['writeObject']> => this.installer.draft.writeObject(page.name);
    return switchRow({
      id: idFor(path),
      label: words.say('form.delete', { provider: this.provider }),
      on: enabled,
      issues,
      change: (on) => (on ? draft().setEnableDeletion() : draft().setDisableDeletion()),
    });
  }

  #sections(): TemplateResult {
    const { installer, words, page, read, write, findings, provider } = this;
    const isRead = reads(page, read);
    const maps = isRead || (write !== undefined && inherits(page, write));
    return html`<div class="object-body ${write ? 'writes' : ''}">
        ${maps || page.write?.fieldMappings?.length ? html`<isthmus-part-mappings .installer=${installer}
          .words=${words} .page=${page} .read=${read} .write=${write}
          .findings=${findings} .provider=${provider}></isthmus-part-mappings>` : nothing}
        ${isRead ? html`<isthmus-part-fields .installer=${installer} .words=${words} .page=${page} .read=${read}
          .findings=${findings}></isthmus-part-fields>` : nothing}
        ${write ? html`<isthmus-part-rules .installer=${installer} .words=${words} .page=${page} .read=${read}
          .write=${write}
          .findings=${findings} .provider=${provider}></isthmus-part-rules>` : nothing}
      ${write ? html`<isthmus-part-preview .installer=${installer} .words=${words} .page=${page} .slots=${this.#slots}
        .samples=${this.samples} .content=${this.#content} .provider=${provider}></isthmus-part-preview>` : nothing}
    </div>`;
  }
}

define('isthmus-part-object', ObjectPage);

declare global {
  interface HTMLElementTagNameMap {
    'isthmus-part-object': ObjectPage;
  }
}
