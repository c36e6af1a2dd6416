/** How the configuring part looks. It is made of the plain things of `styles.ts`; here stands how they are laid out. */

import { css } from './sheet.js';

export const form = css`
  .form { display: grid; gap: calc(var(--_space) * 2.5) calc(var(--_space) * 4); }
  .mono { font-family: var(--_mono); font-size: 0.87em; }
  .tag {
    display: inline-block; padding: 0 6px; font-size: 0.8em; line-height: 1.6; font-weight: 500; color: var(--_muted);
    border: 1px solid var(--_border); border-radius: 4px; white-space: nowrap;
  }
  .tag.warning { color: var(--_warning); border-color: currentcolor; }
  .optional { font-weight: 400; margin-inline-start: 0.5em; }
  .optional, .option-detail, .picker-rest, .outcome-field { font-size: 0.87em; color: var(--_muted); }
  .problems { display: grid; gap: 2px; }
  .astray { margin-block-end: calc(var(--_space) * 2.5); }

  /* Long names are cut after some lines; a screen reader still reads them whole. */
  .tab-title, .option-label > bdi, .check-text > bdi, .rule-name > bdi, .fixed > bdi, .pill > bdi,
  .outcome-field > bdi, .option-detail > bdi, .value-label > bdi, .object-head bdi, .outcome-value {
    display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden;
    text-align: -webkit-match-parent; text-align: match-parent;
  }

  /* Objects. */
  .nav-wide { display: none; }
  .nav { display: grid; gap: 2px; align-content: start; }
  .tab {
    display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 var(--_space); align-items: center;
    inline-size: 100%; padding: 7px 10px; border-radius: var(--_radius-small);
    border-inline-start: 3px solid transparent;
  }
  .tab:hover { background: var(--_raised); }
  .tab[aria-selected='true'] { background: var(--_tint); border-inline-start-color: var(--_accent); }
  .tab-title { line-height: 1.35; }
  .tab[aria-selected='true'] .tab-title { color: var(--_accent); }
  .tab-state { grid-column: 1; font-size: 0.8em; color: var(--_muted); }
  .count {
    grid-area: 1 / 2 / span 2; min-inline-size: 22px; padding: 0 6px; text-align: center; font-size: 0.8em;
    font-weight: 620; line-height: 22px; border-radius: 99px; color: var(--_surface); background: var(--_danger);
    position: relative;
  }
  .count.warning { background: var(--_warning); }

  /* One object. */
  .object-head {
    display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px var(--_space); margin-block-end: var(--_space);
  }
  .object-head h3 { font-size: 1.2em; }
  .switches { display: grid; gap: 2px; margin-block-end: calc(var(--_space) * 2.5); }
  isthmus-part-object > .note { margin-block-end: calc(var(--_space) * 2); }
  .switch { display: inline-flex; align-items: flex-start; gap: 10px; padding-block: 5px; cursor: pointer; }
  .switch-row .hint, .switch-row .problems { margin-inline-start: 46px; }
  .switch input {
    appearance: none; flex: none; inline-size: 36px; block-size: 20px; margin: 2px 0; border-radius: 99px;
    cursor: pointer; background: var(--_edge); display: grid; padding: 2px; transition: 0.12s;
  }
  .switch input::before {
    content: ''; inline-size: 16px; block-size: 16px; border-radius: 50%; background: var(--_surface);
    transition: 0.12s;
  }
  .switch input:checked { background: var(--_accent); }
  .switch input:checked::before { margin-inline-start: 16px; }
  .switch input:disabled { opacity: 0.6; cursor: default; }
  .object-body { display: grid; gap: calc(var(--_space) * 4); align-items: start; }
  .object-body > :empty { display: none; }
  isthmus-part-mappings, isthmus-part-rules { container: part / inline-size; }
  .section, .choice, .lines { display: grid; gap: var(--_space); }

  /* What the product has, and what it becomes. */
  .arrow { color: var(--_muted); }
  .arrow::before { content: '→' / ''; }
  :dir(rtl) > .arrow::before { content: '←' / ''; }

  /* Mappings. */
  .mapping { padding-block: calc(var(--_space) * 1.5); border-block-end: 1px solid var(--_border); }
  .mapping:first-child { padding-block-start: var(--_space); }
  .mapping:last-child { border: 0; }
  .mapping-line { display: grid; gap: 4px calc(var(--_space) * 1.5); }
  .mapping-line > .arrow { display: none; }
  .option-detail { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 8px; }
  .values {
    margin-block-start: var(--_space); padding: calc(var(--_space) * 1.5); background: var(--_raised);
    border-radius: var(--_radius-small); display: grid; gap: var(--_space);
  }
  .values > .row { justify-content: space-between; }
  .value-rows {
    display: grid; grid-template-columns: minmax(0, 2fr) auto minmax(0, 3fr);
    gap: var(--_space) calc(var(--_space) * 1.5); align-items: center;
  }

  /* Choosing a field. */
  .picker { position: relative; }
  .picker > .input { padding-inline-end: 40px; text-overflow: ellipsis; }
  .picker-clear {
    position: absolute; inset-block-start: 4px; inset-inline-end: 4px; inline-size: 32px; block-size: 32px;
    font-size: 1.2em; line-height: 1; text-align: center; color: var(--_muted); border-radius: 4px;
  }
  .picker-clear:hover { color: var(--_text); background: var(--_raised); }
  .picker-list {
    position: absolute; z-index: 5; inset: calc(100% + 4px) 0 auto; max-block-size: 300px; overflow: auto;
    padding: 4px; background: var(--_surface); border: 1px solid var(--_edge); border-radius: var(--_radius-small);
    box-shadow: 0 8px 28px rgb(0 0 0 / 18%); overscroll-behavior: contain;
  }
  .picker-list.upward { inset: auto 0 calc(100% + 4px); }
  .option { padding: 6px 10px; border-radius: 4px; cursor: pointer; }
  .option:hover { background: var(--_raised); }
  .option[aria-selected='true'] { background: var(--_tint); box-shadow: inset 2px 0 var(--_accent); }
  .option.chosen .option-label { font-weight: 620; }
  .option-label { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 6px; }
  .picker-rest { padding: 8px 10px; }

  /* Boxes to tick. */
  .check { display: flex; align-items: flex-start; gap: 10px; padding-block: 5px; cursor: pointer; }
  .check input {
    inline-size: 18px; block-size: 18px; margin: 2px 0; flex: none; accent-color: var(--_accent); cursor: pointer;
  }
  .chips { display: flex; flex-wrap: wrap; gap: 6px; }
  .pill { max-inline-size: 100%; }
  .tools > .input { flex: 1 1 16em; inline-size: auto; }
  .tools > .button[aria-pressed='true'] { color: var(--_accent); background: var(--_tint); }
  .boxes {
    display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15em), 1fr));
    gap: 0 calc(var(--_space) * 2); max-block-size: 22em;
  }
  .boxes > .button, .boxes > .hint { grid-column: 1 / -1; justify-self: start; padding-block: var(--_space); }

  /* Rules. */
  .rules { border: 1px solid var(--_border); border-radius: var(--_radius-small); }
  .rule + .rule { border-block-start: 1px solid var(--_border); }
  .rule > .problems { padding-block-end: 10px; }
  .rule > .problems, .rule-body { padding-inline: 38px 16px; }
  .rule-head {
    display: grid; grid-template-columns: 14px minmax(0, 1fr); gap: 2px 10px; align-items: center; inline-size: 100%;
    padding: 10px 14px; border-radius: inherit;
  }
  .rule-head:hover { background: var(--_raised); }
  .rule-head::before {
    content: '›' / ''; color: var(--_muted); font-size: 1.2em; line-height: 1; transition: 0.12s; text-align: center;
  }
  :dir(rtl) > .rule-head::before { content: '‹' / ''; }
  .rule.open > .rule-head::before { rotate: 90deg; }
  :dir(rtl) > .rule.open > .rule-head::before { rotate: -90deg; }
  .rule-name > .option-detail { font-weight: 400; }
  .rule-says { grid-column: 2; display: flex; flex-wrap: wrap; gap: 4px; font-size: 0.87em; }
  .says {
    padding: 0 8px; border-radius: 4px; color: var(--_accent); background: var(--_tint); max-inline-size: 100%;
    margin-block: -1px;
    border: 1px solid color-mix(in oklab, var(--_accent) 35%, var(--_surface));
  }
  .says > bdi { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
  .says.inherited { color: var(--_muted); background: none; border-color: var(--_border); border-style: dashed; }
  .rule-body { display: grid; gap: calc(var(--_space) * 2); padding-block: 4px 16px; }
  .rule-body[hidden] { display: none; }
  .rule-body > .row > .button { margin-inline-start: calc(var(--_space) * -1); }
  .options .label { margin-block-end: 2px; }
  .default-boxes { max-block-size: 14em; }
  .boxes, .default-boxes {
    overflow: auto; padding: 4px 12px; border: 1px solid var(--_edge); border-radius: var(--_radius-small);
  }
  .boxes { border-color: var(--_border); }

  /* Preview. */
  .preview {
    display: grid; gap: calc(var(--_space) * 1.5); padding: calc(var(--_space) * 2); align-content: start;
    background: var(--_raised); border: 1px solid var(--_border); border-radius: var(--_radius);
  }
  .segments {
    display: grid; grid-template-columns: auto auto; padding: 3px; gap: 3px; background: var(--_surface);
    border: 1px solid var(--_border); border-radius: var(--_radius-small);
  }
  .segment { position: relative; cursor: pointer; display: grid; }
  .segment input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer; }
  .segment span {
    padding: 5px 8px; text-align: center; font-size: 0.93em; border-radius: var(--_radius-small);
    color: var(--_muted);
  }
  .segment :checked + span { color: var(--_accent); background: var(--_tint); font-weight: 560; }
  .segment :focus-visible + span { box-shadow: var(--_ring); }
  .line {
    display: grid; grid-template-columns: minmax(0, 1fr) auto minmax(0, 1fr); gap: 4px var(--_space);
    align-items: start;
    padding: 8px 10px; background: var(--_surface); border: 1px solid var(--_border);
    border-radius: var(--_radius-small);
  }
  .line > .arrow { align-self: center; }
  .line-from, .line-to, .line-current { display: grid; gap: 4px; }
  .line-name { padding: 0; font-size: 0.93em; }
  .line .input.small { min-block-size: 32px; padding: 3px 8px; font-size: 0.93em; }
  .line-current { padding-block-start: 4px; }
  .outcome { display: grid; gap: 2px; padding-inline-start: 8px; border-inline-start: 3px solid var(--_ok); }
  .outcome.dropped, .outcome.address { border-color: var(--_edge); }
  .tab-title, .rule-name, .outcome-value { font-weight: 560; }
  .outcome.changed { background: var(--_tint); box-shadow: 0 0 0 4px var(--_tint); }
  .skeleton-text { block-size: 1.5em; background: var(--_raised); border-radius: 4px; }

  @container isthmus (inline-size >= 40rem) {
    .form.many { grid-template-columns: minmax(10rem, 14rem) minmax(0, 1fr); }
    .nav-wide {
      display: grid; gap: var(--_space); position: sticky; inset-block-start: var(--_space);
      max-block-size: min(80vh, 46rem); grid-template-rows: auto minmax(0, 1fr);
    }
    .nav { overflow: auto; padding: 4px; margin: -4px; }
    .nav-narrow { display: none; }
  }
  @container part (inline-size >= 26rem) {
    .mapping-line { grid-template-columns: minmax(0, 2fr) auto minmax(0, 3fr); align-items: start; }
    .mapping-line > .field:first-child, .mapping-line > .fixed { padding-block: 8px; }
    .mapping-line > .arrow { display: block; padding-block-start: 8px; }
    .rule-head { grid-template-columns: 14px minmax(0, 1fr) minmax(0, 1fr); }
    .rule-says { grid-column: 3; justify-content: flex-end; text-align: end; }
  }
  /* The preview stands where it is seen while rules are set: beside them, or beside everything. */
  @container isthmus (inline-size >= 54rem) {
    .object-body.writes {
      grid-template-columns: minmax(0, 1fr) minmax(16rem, 19rem);
      gap: calc(var(--_space) * 4) calc(var(--_space) * 3);
    }
    .object-body > * { grid-column: 1 / -1; }
    .writes > isthmus-part-rules { grid-column: 1; }
    .writes > isthmus-part-preview { grid-column: 2; position: sticky; inset-block-start: var(--_space); }
    .preview { max-block-size: calc(100vh - 8rem); overflow: auto; position: relative; }
    .line { grid-template-columns: minmax(0, 1fr); }
    .line > .arrow { display: none; }
    .line-to { padding-inline-start: 28px; }
  }
  @container isthmus (inline-size >= 68rem) {
    .object-body.writes { grid-template-columns: minmax(0, 1fr) minmax(17rem, 22rem); }
    .writes > * { grid-column: 1; }
    .writes > isthmus-part-preview { grid-row: 1 / span 4; }
  }
  @container isthmus (inline-size < 30rem) {
    .line { grid-template-columns: minmax(0, 1fr); }
    .line > .arrow { display: none; }
    .value-rows { grid-template-columns: minmax(0, 1fr); gap: 4px; }
    .value-rows > .arrow { display: none; }
    .value-rows > .input { margin-block-end: var(--_space); }
  }
  @media (forced-colors: active) {
    .switch input { border: 1px solid ButtonText; forced-color-adjust: none; }
    .option[aria-selected='true'], .tab[aria-selected='true'] { outline: 2px solid Highlight; outline-offset: -2px; }
  }
`;
