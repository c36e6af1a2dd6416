/** What the templates of the frame are made of: buttons that say why they wait, and what went wrong. */

import { html, nothing, type TemplateResult } from 'lit/html.js';

export interface ButtonLooks {
  /** The name of its part, before `-button`. */
  part?: string | undefined;
  tone?: 'primary' | 'primary danger' | 'quiet' | 'quiet danger' | undefined;
  id?: string | undefined;
  /** It has nothing to do now. It stays within reach of the keyboard, and the act knows why. */
  off?: boolean | undefined;
  /** Something is under way behind it. */
  busy?: boolean | undefined;
  /** Whether what it opens is open. */
  expanded?: boolean | undefined;
  describedBy?: string | undefined;
  submits?: boolean | undefined;
}

export function button(text: string, act: (() => void) | undefined, looks: ButtonLooks = {}): TemplateResult {
  const { part, tone, id, off = false, busy, expanded, describedBy, submits } = looks;
  return html`<button class="button ${tone ?? ''}" part="button ${part ? `${part}-button` : ''}" id=${id ?? nothing}
    type=${submits ? 'submit' : 'button'} aria-disabled=${off} aria-expanded=${expanded ?? nothing}
    aria-describedby=${describedBy ?? nothing} @click=${act}>${busy ? spinner() : nothing}${text}</button>`;
}

export function spinner(): TemplateResult {
  return html`<span class="spinner" aria-hidden="true"></span>`;
}

/** Said at once by screen readers. */
export function alarm(title: string, lines: readonly string[], more: unknown = nothing, id?: string): TemplateResult {
  return html`<div class="note danger" part="error" role="alert" id=${id ?? nothing}>
    <strong>${title}</strong>${lines.map((line) => html`<p dir="auto">${line}</p>`)}${more}</div>`;
}
