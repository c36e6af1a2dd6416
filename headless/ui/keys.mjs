/**
 * Numbers for the keys of messages. In what is built, a key that a source says as it stands is its place in the English
 * catalogue, from 1; the catalogues keep the names, which host pages override by, and so do keys made at run time.
 */

import { build } from 'esbuild';
import ts from 'typescript';

/** The number of each key, as the catalogue's own order has it once it is loaded. */
export async function keyNumbers(path) {
  const { outputFiles: [made] } = await build({ entryPoints: [path], bundle: true, format: 'esm', write: false });
  const { english } = await import(`data:text/javascript,${encodeURIComponent(made.text)}`);
  return new Map(Object.keys(english).map((key, index) => [key, index + 1]));
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

function isValue(literal, parent) {
  return !ts.isLiteralTypeNode(parent) && parent.name !== literal;
}
