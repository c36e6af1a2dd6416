/** The frame around the parts: heading and status, waiting, failing, and repairing. */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import { sentence } from './form-bits.js';
import { alarm, button } from './pieces.js';
import { say, type View } from './view.js';
import { told } from './telling.js';
import type { Phase } from '../contract.js';
import type { Key } from './strings.js';

const STATUS: Readonly<Partial<Record<Phase, { key: Key; tone: string }>>> = {
  connect: { key: 'shell.notConnected', tone: '' },
  configure: { key: 'shell.connected', tone: 'ok' },
  installed: { key: 'shell.installed', tone: 'ok' },
  broken: { key: 'shell.broken', tone: 'danger' },
};

export function head(view: View): TemplateResult {
  const { state, names } = view;
  const status = STATUS[state.phase];
  return html`<header class="head" part="header">
    <div>
      <h2 id="isthmus-heading" part="heading" tabindex="-1"><bdi class=${state.phase === 'loading' ? 'blank' : ''}
        >${names.integration}</bdi></h2>
      ${description(view)}
    </div>
    ${status ? html`<span class="chip ${status.tone}" part="status">${say(view, status.key)}</span>` : nothing}
  </header>`;
}

/** While there is no account yet, what follows names it. */
function description(view: View): TemplateResult | typeof nothing {
  const { state, names } = view;
  if (!state.provider || (state.phase === 'connect' && !names.group)) return nothing;
  return html`<p class="muted" part="description">${say(view, names.group ? 'shell.accountOf' : 'shell.account')}</p>`;
}

/** As high as what usually comes, so that the page around does not jump. */
export function skeleton(view: View): TemplateResult {
  return html`<div class="body loading" part="loading">
    <p class="visually-hidden" role="status">${say(view, 'shell.loading')}</p>
    <div class="skeleton" aria-hidden="true">
      <span></span><span></span><span></span><span></span><span></span><span></span>
    </div>
  </div>`;
}

export function failed(view: View): TemplateResult {
  const { state: { error, busy }, words, acts } = view;
  const lines = error ? [told(error, words), ...(error.issues ?? []).map((issue) => sentence(words.told(issue)))] : [];
  const again = button(say(view, 'shell.retry'), acts.retry, { part: 'retry', off: busy !== '', busy: busy !== '' });
  return html`<div class="body" part="failed">
    ${alarm(say(view, 'shell.failed'), lines, html`<div class="row">${again}</div>`)}
  </div>`;
}

/** Where something needed is not there: the page is at fault, and who builds it reads this. */
export function misplaced(view: View, names: string): TemplateResult {
  return html`<div class="body" part="failed">
    <div class="note warning late" role="alert"><p>${say(view, 'shell.misplaced', { names })}</p></div>
  </div>`;
}

export function connecting(view: View): TemplateResult {
  return html`<div class="body stack" part="body">
    <h3 part="subheading">${say(view, 'shell.connect.heading')}</h3>
    ${connectPart(view, false)}
  </div>`;
}

/** Installed, and the provider refuses: how to heal it stands above everything else. */
export function repair(view: View): TemplateResult {
  return html`<section class="banner" part="banner" aria-labelledby="isthmus-repair">
    <div class="note danger">
      <h3 id="isthmus-repair">${say(view, 'shell.repair.heading')}</h3>
      <p>${say(view, 'shell.repair.text')}</p>
      ${connectPart(view, false)}
    </div>
  </section>`;
}

export function reconnect(view: View): TemplateResult {
  return html`<section class="panel stack" part="panel" aria-labelledby="isthmus-panel">
    <h3 id="isthmus-panel" tabindex="-1">${say(view, 'shell.connect.again')}</h3>
    ${connectPart(view, true)}
  </section>`;
}

function connectPart(view: View, leaves: boolean): TemplateResult | typeof nothing {
  const { state, words, acts } = view;
  if (!state.provider) return nothing;
  const module = state.manifest?.content.module ?? moduleOf(state.integration?.latestRevision.content.module);
  return html`<isthmus-part-connect .provider=${state.provider} .connection=${state.connection} .module=${module}
    .words=${words} .connecting=${acts.connect} .giveUp=${leaves ? () => acts.open('') : undefined}
  ></isthmus-part-connect>`;
}

function moduleOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
