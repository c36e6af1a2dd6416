/**
 * How the element looks: the tokens that a host page may set, and the plain things that the frame and its parts are
 * made of. Sides are logical ones, so that it mirrors; widths are asked of the element itself, never of the window.
 *
 * A host page sets `--isthmus-*`, anywhere above the element. Rules in here read the names with one underscore.
 */

import { css } from './sheet.js';

/** Text keeps WCAG 2.2's 4.5:1 on every surface it stands on, and edges of controls 3:1, in both schemes. */
export const tokens = css`
  :host {
    display: block;
    color-scheme: light dark;
    --_accent: var(--isthmus-accent, light-dark(#1d5bc9, #8db6fb));
    --_accent-text: var(--isthmus-accent-text, light-dark(#fff, #0e1520));
    --_text: var(--isthmus-text, light-dark(#1b2330, #e9ecf1));
    --_muted: var(--isthmus-muted, light-dark(#525d6d, #a9b3c0));
    --_surface: var(--isthmus-surface, light-dark(#fff, #171b21));
    --_raised: var(--isthmus-raised, light-dark(#f6f7f9, #1f242c));
    --_border: var(--isthmus-border, light-dark(#dfe3e9, #343b47));
    --_edge: var(--isthmus-edge, light-dark(#7f8998, #768294));
    --_danger: var(--isthmus-danger, light-dark(#b3261e, #ff9d94));
    --_warning: var(--isthmus-warning, light-dark(#8a5300, #f0b866));
    --_ok: var(--isthmus-ok, light-dark(#17713f, #6fd195));
    --_hover: color-mix(in oklab, var(--_accent), var(--_text) 18%);
    --_tint: color-mix(in oklab, var(--_accent) 8%, var(--_surface));
    --_radius: var(--isthmus-radius, 10px);
    --_radius-small: calc(var(--_radius) * 0.7);
    --_font: var(--isthmus-font, system-ui, sans-serif);
    --_mono: var(--isthmus-font-mono, ui-monospace, Menlo, Consolas, monospace);
    --_size: var(--isthmus-font-size, 15px);
    --_space: var(--isthmus-space, 8px);
    --_ring: 0 0 0 2px var(--_surface), 0 0 0 4px var(--_accent);
  }
  :host([hidden]) { display: none; }
  :host([theme='light']) { color-scheme: light; }
  :host([theme='dark']) { color-scheme: dark; }
`;

export const basics = css`
  /* Columns of grids, and whatever stands in a row, give way to what is narrow. */
  *, ::before, ::after { box-sizing: border-box; min-inline-size: 0; grid-template-columns: minmax(0, 1fr); }
  .root {
    container: isthmus / inline-size;
    font: var(--_size) / 1.5 var(--_font);
    color: var(--_text);
    text-align: start;
    overflow-wrap: anywhere;
  }
  h2, h3, h4, p, ul, fieldset, legend, button { margin: 0; padding: 0; border: 0; list-style: none; }
  h2, h3, h4 { font-size: 1.07em; font-weight: 620; line-height: 1.4; text-wrap: balance; }
  h2 { font-size: 1.27em; }
  :is(h2, h3):focus { outline: none; box-shadow: none; }
  .part { display: block; }

  .visually-hidden {
    position: absolute; inline-size: 1px; block-size: 1px; margin: -1px; overflow: hidden;
    clip-path: inset(50%); white-space: nowrap;
  }
  .muted { color: var(--_muted); }
  .small { font-size: 0.87em; }
  .stack { display: grid; gap: calc(var(--_space) * 2.5); }
  .row { display: flex; flex-wrap: wrap; align-items: center; gap: var(--_space); }
  .row.end { justify-content: flex-end; }
  a, .link { color: var(--_accent); text-decoration: underline; text-underline-offset: 0.18em; border-radius: 4px; }
  :is(a, .link):hover { color: var(--_hover); }
  :focus-visible { outline: 2px solid transparent; box-shadow: var(--_ring); }

  /* Buttons: 40 px high at least, 44 where a finger is used. */
  button { font: inherit; color: inherit; text-align: start; background: none; cursor: pointer; }
  .button {
    display: inline-flex; align-items: center; justify-content: center; gap: var(--_space);
    min-block-size: 40px; padding: 0 calc(var(--_space) * 2);
    font-weight: 560; text-align: center; line-height: 1.25;
    color: var(--_text); background: var(--_surface); border: 1px solid var(--_border);
    border-radius: var(--_radius-small); transition: 0.12s;
  }
  .button:hover { background: var(--_raised); border-color: var(--_edge); }
  .button.primary { color: var(--_accent-text); background: var(--_accent); border-color: var(--_accent); }
  .button.primary:hover { background: var(--_hover); border-color: var(--_hover); }
  .button.quiet { border-color: transparent; background: none; color: var(--_muted); padding: 0 var(--_space); }
  .button.quiet:hover { background: var(--_raised); color: var(--_text); }
  .button.danger { color: var(--_danger); }
  .button.primary.danger { color: var(--_surface); background: var(--_danger); border-color: var(--_danger); }
  .button:is(:disabled, [aria-disabled='true']) {
    color: var(--_muted); background: var(--_raised); border-color: var(--_border); cursor: not-allowed;
  }
  .button.quiet:is(:disabled, [aria-disabled='true']) { background: none; border-color: transparent; }
  @media (pointer: coarse) {
    .button, .input { min-block-size: 44px; }
    .link { padding-block: 10px; margin-block: -10px; }
  }

  /* Fields: a label, a sentence under it, the control, and what is wrong with it. */
  .field { display: grid; gap: 4px; }
  .label { font-weight: 560; }
  .hint { font-size: 0.87em; color: var(--_muted); }
  .input {
    display: block; inline-size: 100%; min-block-size: 40px; padding: 7px 12px; margin: 0;
    font: inherit; color: var(--_text); background: var(--_surface);
    border: 1px solid var(--_edge); border-radius: var(--_radius-small);
  }
  .input::placeholder { color: var(--_muted); opacity: 1; }
  .input:hover { border-color: var(--_text); }
  .input:focus { border-color: var(--_accent); box-shadow: 0 0 0 1px var(--_accent); }
  .input[aria-invalid='true'] { border-color: var(--_danger); }
  .input[aria-invalid='true']:focus { box-shadow: 0 0 0 1px var(--_danger); }
  .problem { font-size: 0.87em; color: var(--_danger); }
  .problem.warning { color: var(--_warning); }
  .problem::before { content: '▲' / ''; margin-inline-end: 4px; font-size: 0.75em; }

  /* What is told above or within a section. */
  .note {
    display: grid; gap: var(--_space); padding: calc(var(--_space) * 1.5) calc(var(--_space) * 2);
    background: var(--_raised); border: 1px solid var(--_border); border-radius: var(--_radius-small);
  }
  .danger { --_tone: var(--_danger); }
  .warning { --_tone: var(--_warning); }
  .note:is(.danger, .warning) {
    background: color-mix(in oklab, var(--_tone) 7%, var(--_surface));
    border-color: color-mix(in oklab, var(--_tone) 35%, var(--_surface));
  }
  .note strong { font-weight: 620; color: var(--_tone); }

  .chip {
    display: inline-flex; align-items: center; gap: 6px; font-weight: 560; color: var(--_muted); white-space: nowrap;
  }
  .chip, .pill {
    padding: 2px 10px; font-size: 0.87em; background: var(--_raised); border: 1px solid var(--_border);
    border-radius: 99px;
  }
  .chip::before { content: ''; inline-size: 7px; block-size: 7px; border-radius: 50%; background: currentcolor; }
  .chip.ok { color: var(--_ok); }
  .chip.danger { color: var(--_danger); }

  .spinner {
    inline-size: 1em; block-size: 1em; flex: none; border-radius: 50%;
    border: 2px solid; border-block-start-color: transparent; animation: turn 0.8s linear infinite;
  }
  @keyframes turn { to { rotate: 1turn; } }

  @media (prefers-reduced-motion: reduce) {
    *, ::before, ::after { transition: none !important; }
    .spinner { animation-duration: 2.4s; }
    .skeleton > span { animation: none; }
  }
  @media (forced-colors: active) {
    .button, .input, .note, .chip { border-color: ButtonBorder; }
    :focus-visible, .input:focus { outline-color: Highlight; outline-offset: 2px; }
    .chip::before { forced-color-adjust: none; }
    .button.primary { border-color: Highlight; }
    .button:is(:disabled, [aria-disabled='true']) { color: GrayText; border-color: GrayText; }
  }
`;

export const frame = css`
  .card {
    background: var(--_surface); border: 1px solid var(--_border); border-radius: var(--_radius);
    --_gutter: clamp(16px, 4cqi, 32px);
  }
  .card > * { padding-inline: var(--_gutter); }
  .head {
    display: flex; flex-wrap: wrap; align-items: flex-start; gap: calc(var(--_space) * 1.5);
    padding-block: calc(var(--_space) * 3) calc(var(--_space) * 2.5);
  }
  .head > div { flex: 1 1 14em; display: grid; gap: 4px; }
  .head > .chip { margin-block-start: 3px; }
  .body { padding-block: 0 calc(var(--_space) * 3.5); }
  .banner { padding-block-end: calc(var(--_space) * 2.5); }
  .banner > .note {
    background: var(--_surface); border-inline-start: 4px solid var(--_danger);
  }
  /* What has the focus is never under the bar that stays in sight. */
  .body * { scroll-margin-block: 24px 104px; }
  .connect-form { max-inline-size: 34rem; }
  .secret { display: grid; align-items: center; }
  .secret > * { grid-area: 1 / 1; }
  .secret > .input { padding-inline-end: 84px; }
  .secret > .button { justify-self: end; min-block-size: 32px; margin-inline-end: 4px; font-size: 0.87em; }
  .waiting { display: flex; gap: calc(var(--_space) * 1.5); align-items: flex-start; }
  .waiting .spinner { margin-block-start: 0.25em; }
  .waiting > div { display: grid; gap: var(--_space); justify-items: start; }

  .savebar {
    position: sticky; inset-block-end: 0; z-index: 2;
    display: grid; gap: var(--_space); padding-block: calc(var(--_space) * 1.75);
    background: var(--_surface); border-block-start: 1px solid var(--_border);
  }
  .savebar .row > p { flex: 1 1 12em; }
  .savebar .link { padding-block: 4px; }
  .savebar .problems { max-block-size: 9em; overflow: auto; }
  .savebar .problems, .plain, .astray ul { padding-inline-start: 1.2em; list-style: disc; }
  .foot {
    display: flex; flex-wrap: wrap; align-items: center; gap: 4px var(--_space);
    padding-block: calc(var(--_space) * 1.25); border-block-start: 1px solid var(--_border);
    background: var(--_raised);
    border-radius: 0 0 var(--_radius) var(--_radius);
  }
  .foot > p { flex: 1 1 12em; }
  .foot > .note { flex: 1 1 100%; margin-block-end: var(--_space); }
  .foot > .button { font-size: 0.93em; font-weight: 500; }
  .foot > .button:first-of-type { margin-inline-start: auto; }
  .plain { display: grid; gap: 4px; }
  .plain > li::marker { color: var(--_muted); }
  .panel {
    padding-block: calc(var(--_space) * 2.5); border-block-start: 1px solid var(--_border);
  }

  .skeleton { display: grid; gap: calc(var(--_space) * 2); min-block-size: 260px; align-content: start; }
  .skeleton > span {
    block-size: 40px; border-radius: var(--_radius-small); background: var(--_raised);
    animation: breathe 1.6s infinite alternate;
  }
  .skeleton > span:nth-child(odd) { block-size: 14px; inline-size: 34%; }
  @keyframes breathe { to { background: var(--_border); } }
  .blank { color: transparent; background: var(--_raised); border-radius: 4px; }
  /* A page may still be on its way to a token. */
  .late { animation: late 2s step-end; }
  @keyframes late { from { visibility: hidden; } }

  @media (max-height: 26rem) { .savebar { position: static; } }
  @container isthmus (inline-size < 30rem) {
    .foot { padding-inline: calc(var(--_gutter) - var(--_space)); }
    .foot > .button:first-of-type { margin-inline-start: 0; }
    .savebar .row.end, .actions { inline-size: 100%; }
    .savebar .row.end > .button, .actions > .button { flex: 1 1 auto; }
    .foot > p { flex-basis: 100%; }
  }
`;
