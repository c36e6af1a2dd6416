/**
 * Short names for what nobody but the element's own templates and styles can say, because they stand in one shadow
 * root: classes, and custom properties with an underscore. A class that code builds or looks for keeps its name; so do
 * parts, which host pages style by.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const CLASS = /(?<=\.)[a-z][\w-]*/g;
const PROPERTY = /--_[a-z-]+/g;

/** New names by old ones, for all sources in a folder and below; the same for the same sources. */
export function namesIn(folder) {
  const styles = new Set();
  const said = new Set();
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    if (!name.endsWith('.ts')) continue;
    gather(ts.createSourceFile(name, readFileSync(join(folder, name), 'utf8'), ts.ScriptTarget.ES2022), styles, said);
  }
  const css = [...styles].join('').replace(/\/\*.*?\*\//gs, '');
  const selectors = css.replace(/\{[^{}]*\}/g, '{}');
  const classes = [...new Set(selectors.match(CLASS))].filter((name) => !said.has(name));
  const properties = [...new Set(css.match(PROPERTY))];
  const free = shortNames((name) => !said.has(name) && !classes.includes(name));
  return {
    classes: new Map(classes.map((name) => [name, free.next().value])),
    properties: new Map(properties.map((name, index) => [name, `--_${LETTERS[index] ?? `a${LETTERS[index - 26]}`}`])),
  };
}

/** A stylesheet with the new names. */
export function renamedInStyle(style, { classes, properties }) {
  const selector = (text) => text.replace(CLASS, (name) => classes.get(name) ?? name);
  return style
    .replace(/\{[^{}]*\}|[^{}]+/g, (text) => (text.startsWith('{') ? text : selector(text)))
    .replace(PROPERTY, (name) => properties.get(name));
}

/** The literal parts of one template of markup with the new names. */
export function renamedInMarkup(parts, { classes }) {
  let isOpen = false;
  const words = (text) => text.replace(/[\w-]+/g, (name) => classes.get(name) ?? name);
  return parts.map((part) => {
    const end = isOpen ? (part.indexOf('"') + 1 || part.length) : 0;
    const rest = part.slice(end).replace(/(?<=\sclass=")[^"]*/g, words);
    isOpen = isOpen ? !part.includes('"') : false;
    isOpen ||= /\sclass="[^"]*$/.test(part.slice(end));
    return words(part.slice(0, end)) + rest;
  });
}

function gather(node, styles, said) {
  const isTagged = ts.isTaggedTemplateExpression(node);
  if (isTagged && node.tag.text === 'css') styles.add(node.template.text);
  else if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
    for (const word of node.text.split(/[^\w-]+/)) said.add(word);
  } else if (isTagged) {
    for (const span of node.template.templateSpans ?? []) gather(span.expression, styles, said);
  } else ts.forEachChild(node, (child) => gather(child, styles, said));
}

function* shortNames(isFree) {
  for (let count = 0; ; count += 1) {
    const name = (count < 26 ? '' : LETTERS[Math.floor(count / 26) - 1]) + LETTERS[count % 26];
    if (isFree(name)) yield name;
  }
}
