/**
 * Builds `src/` into `assets/`, or into the folder that is named: `node build.mjs [folder]`. The same sources give the
 * same bytes; sources that have errors leave what was there.
 */

import { build } from 'esbuild';
import { generateDtsBundle } from 'dts-bundle-generator';
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { minify } from 'terser';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { templates } from './templates.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ENTRIES = ['headless', 'install'];
/** Scripts of pages of the server's own, which nobody imports. */
const PAGES = ['embed'];
/** Where the declarations of an entry come from. */
const DECLARATIONS = { headless: 'headless', install: 'declared' };
/** Lit's licence goes along as a file, with its copyright. */
const LICENCE = '/*! With Lit: see lit-LICENSE.txt */\n';
/** Words, each a file of its own that is loaded where it is wanted; `names` is for pages with words of their own. */
const LANGUAGES = ['german', 'names'];

const wanted = resolve(process.argv[2] ?? join(HERE, 'assets'));
await mkdir(dirname(wanted), { recursive: true });
/** Beside what is wanted, whose place it takes in the end: a server may be reading that. */
const scratch = await mkdtemp(join(dirname(wanted), '.built-'));
const folder = join(scratch, 'assets');
const source = (name) => join(HERE, 'src', `${name}.ts`);

async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: HERE,
    entryPoints: [...ENTRIES.map(source), ...PAGES.map(source), ...LANGUAGES.map((name) => source(`element/${name}`))],
    entryNames: '[name]',
    outdir: folder,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    external: LANGUAGES.map((name) => `./${name}.js`),
    plugins: [templates],
    logLevel: 'warning',
    write: false,
  });
  await Promise.all(outputFiles.map(async ({ path, text }) => writeFile(path, await smaller(text))));
}

/**
 * Names of properties stay, as pages and debuggers see them; but nobody sees Lit's own. A function may become an arrow,
 * because what is called with `new` here is a class; and no getter here does more than answer.
 */
async function smaller(text) {
  const { code } = await minify(text, {
    module: true,
    compress: {
      ecma: 2022, passes: 3, unsafe_arrows: true, inline: 1, pure_getters: true, lhs_constants: false, sequences: false,
    },
    mangle: { properties: { regex: /^_\$/ } },
    format: { comments: false, ecma: 2022 },
  });
  return `${text.includes('litHtmlVersions') ? LICENCE : ''}${code}\n`;
}

/** One file of declarations for each entry, which imports nothing. */
async function declare() {
  const entries = Object.entries(DECLARATIONS);
  const found = generateDtsBundle(
    entries.map(([entry, name]) => ({
      filePath: source(name),
      output: { noBanner: true, exportReferencedTypes: true, inlineDeclareGlobals: entry === 'install' },
    })),
    { preferredConfigPath: join(HERE, 'tsconfig.json') },
  );
  await Promise.all(entries.map(([name], index) => writeFile(join(folder, `${name}.d.ts`), found[index])));
}

try {
  await mkdir(folder);
  await bundle();
  await declare();
  // What is bundled with the element asks for its licence to go along.
  await copyFile(join(HERE, 'node_modules/lit/LICENSE'), join(folder, 'lit-LICENSE.txt'));
  await rm(wanted, { recursive: true, force: true });
  await rename(folder, wanted);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
