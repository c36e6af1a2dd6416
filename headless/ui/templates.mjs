/**
 * Makes the templates in a source shorter, without making them say anything else: stylesheets, and space in markup. The
 * keys of messages become numbers on the same way.
 */

import { transform } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import ts from 'typescript';

import { keyNumbers, listedCatalogue, namesModule, numberedKeys } from './keys.mjs';
import { namesIn, renamedInMarkup, renamedInStyle } from './names.mjs';

/** Space that nobody sees: it begins or ends a line, and stands beside the edge of a block. */
const BLOCK = '</?(?:div|ul|li|section|header|footer|h[2-4]|p|fieldset|legend|isthmus-[\\w-]+)\\b';
const AROUND_BLOCKS = new RegExp(`\\s*\\n\\s*(?=${BLOCK})|(?<=${BLOCK}[^<>]*>)\\s*\\n\\s*`, 'g');

/** A plugin for esbuild. */
export const templates = {
  name: 'templates',
  setup(build) {
    const folder = join(build.initialOptions.absWorkingDir, 'src');
    const names = namesIn(folder);
    const keys = keyNumbers(join(folder, 'element'));
    build.onLoad({ filter: /src\/element\/names\.ts$/ }, async () => ({ contents: namesModule(await keys) }));
    build.onLoad({ filter: /src\/element\/.*\.ts$/ }, async ({ path }) => {
      const contents = await shortened(path, names, await keys);
      return { contents, loader: 'ts' };
    });
  },
};

async function shortened(path, names, keys) {
  const text = await readFile(path, 'utf8');
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);
  const pieces = [
    ...templatesOf(file).flatMap((template) => piecesOf(template, file, names)),
    ...numberedKeys(file, keys),
    ...await listedCatalogue(file, keys, dirname(path)),
  ];
  let made = text;
  // From the end, so that what lies before keeps its place.
  for (const { start, end, markup, style } of pieces.sort((one, other) => other.start - one.start)) {
    const short = style === undefined
      ? markup.replace(AROUND_BLOCKS, '').replace(/\s*\n\s*/g, ' ')
      : renamedInStyle(await minified(style), names);
    made = made.slice(0, start) + short + made.slice(end);
  }
  return made;
}

function templatesOf(node) {
  const found = [];
  ts.forEachChild(node, (child) => void found.push(...templatesOf(child)));
  const isOurs = ts.isTaggedTemplateExpression(node) && ['html', 'svg', 'css'].includes(node.tag.text);
  return isOurs ? [...found, node] : found;
}

/** Where the text of a template stands, and what it is: `style` is a whole stylesheet. */
function piecesOf({ tag, template }, file, names) {
  const isWhole = ts.isNoSubstitutionTemplateLiteral(template);
  if (isWhole && tag.text === 'css') {
    return [{ start: template.getStart(file) + 1, end: template.end - 1, style: template.text }];
  }
  const parts = isWhole ? [template] : [template.head, ...template.templateSpans.map((span) => span.literal)];
  const places = parts.map((part) => ({
    start: part.getStart(file) + 1,
    end: part.end - (part === parts.at(-1) ? 1 : 2),
  }));
  const markup = renamedInMarkup(places.map(({ start, end }) => file.text.slice(start, end)), names);
  return places.map((place, index) => ({ ...place, markup: markup[index] }));
}

async function minified(style) {
  const { code } = await transform(style, { loader: 'css', minify: true, charset: 'utf8' });
  return code.trim().replace(/[\\`$]/g, '\\$&');
}
