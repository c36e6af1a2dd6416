/** Makes the templates in a source shorter, without making them say anything else: stylesheets, and space in markup. */

import { transform } from 'esbuild';
import { readFile } from 'node:fs/promises';
import ts from 'typescript';

/** A plugin for esbuild. */
export const templates = {
  name: 'templates',
  setup(build) {
    build.onLoad({ filter: /src\/element\/.*\.ts$/ }, async ({ path }) => {
      const contents = await shortened(await readFile(path, 'utf8'));
      return { contents, loader: 'ts' };
    });
  },
};

async function shortened(text) {
  const file = ts.createSourceFile('source.ts', text, ts.ScriptTarget.ES2022);
  const pieces = piecesOf(file, file);
  let made = text;
  // From the end, so that what lies before keeps its place.
  for (const { start, end, style } of pieces.sort((one, other) => other.start - one.start)) {
    const short = style === undefined ? made.slice(start, end).replace(/\s*\n\s*/g, ' ') : await minified(style);
    made = made.slice(0, start) + short + made.slice(end);
  }
  return made;
}

/** Where the text of templates stands; `style` is a whole stylesheet. */
function piecesOf(node, file) {
  const found = [];
  ts.forEachChild(node, (child) => void found.push(...piecesOf(child, file)));
  if (!ts.isTaggedTemplateExpression(node) || !['html', 'svg', 'css'].includes(node.tag.text)) return found;
  const { template } = node;
  if (ts.isNoSubstitutionTemplateLiteral(template)) {
    const style = node.tag.text === 'css' ? template.text : undefined;
    return [...found, { start: template.getStart(file) + 1, end: template.end - 1, style }];
  }
  const last = template.templateSpans.at(-1).literal;
  for (const part of [template.head, ...template.templateSpans.map((span) => span.literal)]) {
    found.push({ start: part.getStart(file) + 1, end: part.end - (part === last ? 1 : 2) });
  }
  return found;
}

async function minified(style) {
  const { code } = await transform(style, { loader: 'css', minify: true, charset: 'utf8' });
  return code.trim().replace(/[\\`$]/g, '\\$&');
}
