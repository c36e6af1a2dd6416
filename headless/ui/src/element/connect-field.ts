/** One input of the connect form: label, hint, control, and what is wrong with it. */

import { html, nothing, type TemplateResult } from 'lit/html.js';

import { idFor } from './light.js';
import { webAddress } from './links.js';
import type { Asked } from './asked.js';
import type { Words } from './words.js';

export interface FieldView {
  words: Words;
  fault: string | undefined;
  /** Something is wrong with the credentials as a whole, and this is one of them. */
  doubted: boolean;
  /** A secret is shown as it is. */
  shown: boolean;
  waiting: boolean;
  onShow: () => void;
}

export function connectField(asked: Asked, view: FieldView): TemplateResult {
  const { words, fault } = view;
  const id = idFor(asked.path);
  return html`<div class="field" part="field">
    <div class="row">
      <label class="label" part="label" for=${id}><bdi>${asked.label}</bdi></label>
      ${asked.required ? nothing : html`<span class="hint">${words.say('shell.connect.optional')}</span>`}
    </div>
    ${asked.hint || asked.docsURL ? html`<p class="hint" id="${id}-hint"><span dir="auto">${asked.hint ?? ''}</span>
      ${docsLink(asked.docsURL, words)}</p>` : nothing}
    ${CONTROLS[asked.kind](asked, id, view)}
    ${fault ? html`<p class="problem" part="issue" id="${id}-problem" dir="auto">${fault}</p>` : nothing}
  </div>`;
}

export function docsLink(address: string | undefined, words: Words): TemplateResult | typeof nothing {
  const url = webAddress(address);
  if (url === undefined) return nothing;
  return html`<a href=${url} target="_blank" rel="noopener noreferrer">${words.say('shell.connect.docs')}<span
    class="visually-hidden"> (${words.say('shell.connect.newTab')})</span></a>`;
}

function described(asked: Asked, id: string, { fault, doubted }: FieldView): string | typeof nothing {
  const ids = [
    ...(asked.hint || asked.docsURL ? [`${id}-hint`] : []),
    ...(fault ? [`${id}-problem`] : []),
    ...(doubted ? ['isthmus-connect-error'] : []),
  ];
  return ids.length ? ids.join(' ') : nothing;
}

function invalid({ fault, doubted }: FieldView): 'true' | typeof nothing {
  return fault || doubted ? 'true' : nothing;
}

function text(asked: Asked, id: string, view: FieldView): TemplateResult {
  return html`<input class="input" part="input" id=${id} type="text" value=${asked.initial} autocomplete="off"
    autocapitalize="none" spellcheck="false" dir="auto" ?required=${asked.required} ?readonly=${view.waiting}
    aria-describedby=${described(asked, id, view)} aria-invalid=${invalid(view)}>`;
}

/**
 * `new-password` is what keeps browsers from filling in the password of the page around, which is another one's: `off`
 * does not. Nothing that is saved for this site belongs here.
 */
function secret(asked: Asked, id: string, view: FieldView): TemplateResult {
  const { words, shown } = view;
  return html`<div class="secret">
    <input class="input" part="input" id=${id} type=${shown ? 'text' : 'password'} autocomplete="new-password"
      autocapitalize="none" spellcheck="false" dir="ltr" ?required=${asked.required} ?readonly=${view.waiting}
      aria-describedby=${described(asked, id, view)} aria-invalid=${invalid(view)}>
    <button class="button quiet" part="button" type="button" aria-controls=${id} @click=${view.onShow}
      aria-label=${words.say(shown ? 'shell.connect.hideLabel' : 'shell.connect.showLabel', { label: asked.label })}
      >${words.say(shown ? 'shell.connect.hide' : 'shell.connect.show')}</button>
  </div>`;
}

function choice(asked: Asked, id: string, view: FieldView): TemplateResult {
  return html`<select class="input" part="input" id=${id} ?required=${asked.required}
    aria-describedby=${described(asked, id, view)} aria-invalid=${invalid(view)}>
    <option value="" selected>${view.words.say('shell.connect.choose')}</option>
    ${(asked.choices ?? []).map(({ value, displayValue }) => html`<option value=${value}>${displayValue}</option>`)}
  </select>`;
}

const CONTROLS = { choice, secret, text };
