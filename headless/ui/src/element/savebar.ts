/** The bar under the form: whether it can be saved, what is in the way, and the buttons. It stays in sight. */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import { sentence } from './form-bits.js';
import { alarm, button } from './pieces.js';
import { say, type View } from './view.js';
import { told } from './telling.js';
import type { Issue } from '../shapes.js';
import type { Key } from './strings.js';

export function errorsOf(issues: readonly Issue[]): Issue[] {
  return issues.filter(({ severity }) => severity !== 'warning');
}

/** Why nothing is saved when one clicks; nothing where it is. */
export function hindrance({ state }: View): 'busy' | 'errors' | 'clean' | undefined {
  if (state.busy) return 'busy';
  if (state.installation && !state.dirty) return 'clean';
  return errorsOf(state.issues).length ? 'errors' : undefined;
}

export function savebar(view: View): TemplateResult {
  const { state, acts } = view;
  const installed = state.installation !== undefined;
  return html`<div class="savebar" part="savebar">
    ${failure(view)}
    ${view.listed ? listing(view) : nothing}
    <div class="row">
      <p id="isthmus-standing" class="muted small" part="standing">${standing(view)}</p>
      <div class="row end">
        ${installed && state.dirty
          ? button(say(view, 'shell.discard'), acts.discard, { part: 'discard', off: state.busy !== '' })
          : nothing}
        ${saveButton(view)}
      </div>
    </div>
  </div>`;
}

/** Where there are problems it leads to the first of them. */
function saveButton(view: View): TemplateResult {
  const { state: { busy, installation }, acts } = view;
  const saving = busy === 'installing' || busy === 'updating';
  const label: Key = installation
    ? saving ? 'shell.saving' : 'shell.save'
    : saving ? 'shell.installing' : 'shell.install';
  const off = hindrance(view) !== undefined;
  return button(say(view, label), acts.save, {
    part: 'save', id: 'isthmus-save', tone: 'primary', busy: saving, off, describedBy: 'isthmus-standing',
  });
}

/** One line: problems before all else, then what there is to save; either leads to the first issue. */
function standing(view: View): unknown {
  const { state, acts } = view;
  const errors = errorsOf(state.issues).length;
  const count = errors || state.issues.length;
  const words = errors ? '' : say(view, unsaved(view));
  if (!count) return words;
  const issues = say(view, errors ? 'shell.problems' : 'shell.warnings', { count });
  return html`${words} <button class="link" type="button" @click=${acts.showProblem}>${issues}</button>`;
}

function unsaved({ state }: View): Key {
  if (state.reviewing) return 'shell.reviewing';
  if (!state.installation) return 'shell.ready';
  return state.dirty ? 'shell.unsaved' : 'shell.clean';
}

function failure(view: View): TemplateResult | typeof nothing {
  const { failure: last, state, words } = view;
  if (last?.place !== 'savebar') return nothing;
  return alarm(say(view, state.installation ? 'shell.notSaved' : 'shell.notInstalled'), [told(last.error, words)]);
}

function listing({ state, words }: View): TemplateResult {
  return html`<ul class="problems small" id="isthmus-problems" tabindex="-1">
    ${errorsOf(state.issues).map((issue) => html`<li dir="auto">${sentence(words.told(issue))}</li>`)}
  </ul>`;
}
