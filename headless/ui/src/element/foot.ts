/** What is under everything: the connection and what can be done about it, and the way out. */

import { html, nothing, type TemplateResult } from 'lit';

import { say, type View } from './view.js';
import { told } from './telling.js';
import { reconnect } from './frame.js';
import type { Key } from './strings.js';

export function foot(view: View): TemplateResult {
  const { state, acts, panel } = view;
  const workspace = state.connection?.providerWorkspaceRef;
  const action = (part: string, key: Key, act: () => void) => html`<button class="button quiet" id="isthmus-${part}"
    part="button ${part}-button" type="button" aria-disabled=${state.busy ? 'true' : 'false'}
    @click=${() => state.busy || act()}>${say(view, key)}</button>`;
  const toggle = (name: 'reconnect' | 'uninstall') => html`<button class="button quiet ${name === 'uninstall' ? 'danger' : ''}"
    id="isthmus-${name}" part="button ${name}-button" type="button" aria-expanded=${panel === name ? 'true' : 'false'}
    aria-disabled=${state.busy ? 'true' : 'false'} @click=${() => state.busy || acts.open(panel === name ? '' : name)}
    >${say(view, `shell.${name}`)}</button>`;
  return html`
    ${panel === 'reconnect' && state.phase !== 'broken' ? reconnect(view) : nothing}
    ${panel === 'uninstall' ? leaving(view) : nothing}
    <footer class="foot" part="footer">
      ${failure(view)}
      ${workspace ? html`<p class="small muted">${say(view, 'shell.workspaceOf', { workspace })}</p>` : nothing}
      ${action('refresh', state.busy === 'refreshing' ? 'shell.refreshing' : 'shell.refresh', acts.refresh)}
      ${state.phase === 'broken' ? nothing : toggle('reconnect')}
      ${state.installation ? toggle('uninstall') : action('disconnect', 'shell.disconnect', acts.disconnect)}
    </footer>`;
}

/** The question before all is given up, where the button is, and in whole sentences. */
function leaving(view: View): TemplateResult {
  const { state, acts } = view;
  const busy = state.busy === 'uninstalling';
  return html`<section class="panel" part="panel confirm" aria-labelledby="isthmus-panel">
    <div class="stack">
      <h3 id="isthmus-panel" tabindex="-1">${say(view, 'shell.uninstall.heading')}</h3>
      <ul class="plain">
        <li>${say(view, 'shell.uninstall.writes')}</li>
        <li>${say(view, 'shell.uninstall.settings')}</li>
        <li>${say(view, 'shell.uninstall.connection')}</li>
        <li>${say(view, 'shell.uninstall.records')}</li>
      </ul>
      ${failure(view, 'panel')}
      <div class="row actions">
        <button class="button primary danger" part="button confirm-button" type="button"
          aria-disabled=${busy ? 'true' : 'false'} @click=${acts.uninstall}>
          ${busy ? html`<span class="spinner" aria-hidden="true"></span>` : nothing}${say(view, busy ? 'shell.uninstalling' : 'shell.uninstall')}
        </button>
        <button class="button" part="button" type="button" @click=${() => acts.open('')}>${say(view, 'shell.cancel')}</button>
      </div>
    </div>
  </section>`;
}

function failure(view: View, place: 'foot' | 'panel' = 'foot'): TemplateResult | typeof nothing {
  const { failure: last, words } = view;
  if (last?.place !== place) return nothing;
  return html`<div class="note danger" part="error" role="alert">
    <strong>${say(view, 'shell.notDone')}</strong>
    <p dir="auto">${told(last.error, words)}</p>
  </div>`;
}
