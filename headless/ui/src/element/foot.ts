/** What is under everything: the connection and what can be done about it, and the way out. */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import { alarm, button } from './pieces.js';
import { say, type Failure, type View } from './view.js';
import { told } from './telling.js';
import { reconnect } from './frame.js';
import type { Key } from './strings.js';

export function foot(view: View): TemplateResult {
  const { state, acts, panel } = view;
  const { busy, installation, phase } = state;
  const off = busy !== '';
  const refreshing = busy === 'refreshing';
  const workspace = state.connection?.providerWorkspaceRef;
  const toggle = (name: 'reconnect' | 'uninstall', label: Key) => {
    const looks = { part: name, id: `isthmus-${name}`, off, expanded: panel === name } as const;
    const act = () => void (off || acts.open(panel === name ? '' : name));
    return button(say(view, label), act, { ...looks, tone: name === 'uninstall' ? 'quiet danger' : 'quiet' });
  };
  return html`
    ${panel === 'reconnect' && phase !== 'broken' ? reconnect(view) : nothing}
    ${panel === 'uninstall' ? leaving(view) : nothing}
    <footer class="foot" part="footer">
      ${failure(view, 'foot')}
      ${workspace ? html`<p class="small muted">${say(view, 'shell.workspaceOf', { workspace })}</p>` : nothing}
      ${button(say(view, refreshing ? 'shell.refreshing' : 'shell.refresh'), acts.refresh, {
        part: 'refresh', tone: 'quiet', off,
      })}
      ${phase === 'broken' ? nothing : toggle('reconnect', 'shell.reconnect')}
      ${installation
        ? toggle('uninstall', 'shell.uninstall')
        : button(say(view, 'shell.disconnect'), acts.disconnect, { part: 'disconnect', tone: 'quiet', off })}
    </footer>`;
}

/** The question before all is given up, where the button is, and in whole sentences. */
function leaving(view: View): TemplateResult {
  const { state, acts } = view;
  const busy = state.busy === 'uninstalling';
  const losses = ['writes', 'settings', 'connection', 'records'] as const;
  const told = losses.map((what) => say(view, `shell.uninstall.${what}`));
  return html`<section class="panel stack" part="panel confirm" aria-labelledby="isthmus-panel">
    <h3 id="isthmus-panel" tabindex="-1">${say(view, 'shell.uninstall.heading')}</h3>
    <ul class="plain">${told.map((line) => html`<li>${line}</li>`)}</ul>
    ${failure(view, 'panel')}
    <div class="row actions">
      ${button(say(view, busy ? 'shell.uninstalling' : 'shell.uninstall'), acts.uninstall, {
        part: 'confirm', tone: 'primary danger', off: busy, busy,
      })}
      ${button(say(view, 'shell.cancel'), () => acts.open(''))}
    </div>
  </section>`;
}

function failure(view: View, place: Failure['place']): TemplateResult | typeof nothing {
  const { failure: last, words } = view;
  return last?.place === place ? alarm(say(view, 'shell.notDone'), [told(last.error, words)]) : nothing;
}
