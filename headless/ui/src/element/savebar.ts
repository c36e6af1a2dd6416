/** The bar under the form: whether it can be saved, what is in the way, and the buttons. It stays in sight. */

import { html, nothing, type TemplateResult } from 'lit';

import { sentence } from './form-bits.js';
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
  const saving = state.busy === 'installing' || state.busy === 'updating';
  const hindered = hindrance(view) !== undefined;
  return html`<div class="savebar" part="savebar">
    ${failure(view)}
    ${view.listed ? listing(view) : nothing}
    <div class="row">
      <p id="isthmus-standing" class="muted small" part="standing">${standing(view)}</p>
      <div class="row end">
        ${installed && state.dirty ? html`<button class="button" part="button discard-button" type="button"
          aria-disabled=${state.busy ? 'true' : 'false'} @click=${acts.discard}>${say(view, 'shell.discard')}</button>` : nothing}
        <button class="button primary" part="button save-button" id="isthmus-save" type="button" aria-describedby="isthmus-standing"
          aria-disabled=${hindered ? 'true' : 'false'} @click=${acts.save}>
          ${saving ? html`<span class="spinner" aria-hidden="true"></span>` : nothing}${say(view, label(installed, saving))}
        </button>
      </div>
    </div>
  </div>`;
}

function label(installed: boolean, saving: boolean): Key {
  if (installed) return saving ? 'shell.saving' : 'shell.save';
  return saving ? 'shell.installing' : 'shell.install';
}

/** One line: problems before all else, then what there is to save. */
function standing(view: View): unknown {
  const { state, acts } = view;
  const errors = errorsOf(state.issues).length;
  const warnings = state.issues.length - errors;
  if (errors) {
    return html`<button class="link" type="button" @click=${acts.showProblem}>${say(view, 'shell.problems', { count: errors })}</button>`;
  }
  const words = say(view, unsaved(view));
  return warnings ? `${words} ${say(view, 'shell.warnings', { count: warnings })}` : words;
}

function unsaved({ state }: View): Key {
  if (state.reviewing) return 'shell.reviewing';
  if (!state.installation) return 'shell.ready';
  return state.dirty ? 'shell.unsaved' : 'shell.clean';
}

function failure(view: View): TemplateResult | typeof nothing {
  const { failure: last, state, words } = view;
  if (last?.place !== 'savebar') return nothing;
  return html`<div class="note danger" part="error" role="alert">
    <strong>${say(view, state.installation ? 'shell.notSaved' : 'shell.notInstalled')}</strong>
    <p dir="auto">${told(last.error, words)}</p>
  </div>`;
}

function listing({ state }: View): TemplateResult {
  return html`<ul class="problems small" id="isthmus-problems" tabindex="-1">
    ${errorsOf(state.issues).map((issue) => html`<li dir="auto">${sentence(issue)}</li>`)}
  </ul>`;
}
