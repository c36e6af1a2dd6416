/**
 * Numbers for the keys of messages. In what is built, a key that a source says as it stands is its place in a list, and
 * catalogues hold that list; keys that are made at run time keep their names. Host pages override by name: those that
 * do load the list of names.
 */

import { build } from 'esbuild';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** What catalogues are called where they are made. */
const CATALOGUES = new Set(['english', 'german']);

/** The number of each key that has one, from the sources in a folder, in the order of the English catalogue. */
export async function keyNumbers(folder) {
  const { english } = await catalogueIn(folder, 'strings');
  const made = readdirSync(folder).sort().filter((name) => name.endsWith('.ts')).flatMap((name) => prefixesIn(
    ts.createSourceFile(name, readFileSync(join(folder, name), 'utf8'), ts.ScriptTarget.ES2022)));
  const numbered = Object.keys(english).filter((key) => !made.some((prefix) => key.startsWith(prefix)));
  return new Map(numbered.map((key, index) => [key, index]));
}

/** The list that pages with words of their own load. */
export function namesModule(keys) {
  return `export const names = ${JSON.stringify([...keys.keys()])};`;
}

/** Where the keys stand in a source, and what takes their place. Names of properties and types stay. */
export function numberedKeys(node, keys, file = node) {
  const found = [];
  ts.forEachChild(node, (child) => {
    if (ts.isStringLiteral(child) && keys.has(child.text) && isValue(child, node)) {
      found.push({ start: child.getStart(file), end: child.end, markup: String(keys.get(child.text)) });
    } else found.push(...numberedKeys(child, keys, file));
  });
  return found;
}

/** Where a source makes a catalogue, and what takes its place: nothing in others. */
export async function listedCatalogue(file, keys, folder) {
  const declared = file.statements.filter(ts.isVariableStatement).flatMap((each) => each.declarationList.declarations);
  const [made] = declared.filter(({ name }) => CATALOGUES.has(name.text));
  if (!made) return [];
  const name = file.fileName.replace(/^.*\/|\.ts$/g, '');
  const found = await catalogueIn(folder, name);
  const messages = found[made.name.text] ?? found.default;
  const listed = JSON.stringify([...keys.keys()].map((key) => messages[key]));
  const named = Object.entries(messages).filter(([key]) => !keys.has(key))
    .map(([key, message]) => `${JSON.stringify(key)}: ${JSON.stringify(message)}`);
  return [{
    start: made.initializer.getStart(file), end: made.initializer.end, markup: `{...${listed}, ${named}} as any`,
  }];
}

async function catalogueIn(folder, name) {
  const path = join(folder, `${name}.ts`);
  const { outputFiles: [made] } = await build({ entryPoints: [path], bundle: true, format: 'esm', write: false });
  return import(`data:text/javascript,${encodeURIComponent(made.text)}`);
}

/** How the keys begin that are made at run time: what stands before the first place of a template. */
function prefixesIn(node) {
  const found = [];
  ts.forEachChild(node, (child) => void found.push(...prefixesIn(child)));
  return ts.isTemplateHead(node) && /^(?:shell|form|issue)\./.test(node.text) ? [...found, node.text] : found;
}

function isValue(literal, parent) {
  return !ts.isLiteralTypeNode(parent) && parent.name !== literal;
}
