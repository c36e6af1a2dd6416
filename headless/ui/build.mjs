/**
 * Builds `src/` into `assets/`, or into the folder that is named: `node build.mjs [folder]`. The same sources give the
 * same bytes.
 */

import { build } from 'esbuild';
import { generateDtsBundle } from 'dts-bundle-generator';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const ENTRIES = ['headless', 'install'];
/** Where the declarations of an entry come from. */
const DECLARATIONS = { headless: 'headless', install: 'declared' };
/** Catalogues of words, each a file of its own that is loaded where it is wanted. */
const LANGUAGES = ['german'];

const folder = resolve(process.argv[2] ?? join(HERE, 'assets'));
const source = (name) => join(HERE, 'src', `${name}.ts`);

async function bundle() {
  await build({
    absWorkingDir: HERE,
    entryPoints: [...ENTRIES.map(source), ...LANGUAGES.map((name) => source(`element/${name}`))],
    entryNames: '[name]',
    outdir: folder,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    charset: 'utf8',
    legalComments: 'eof',
    external: LANGUAGES.map((name) => `./${name}.js`),
    logLevel: 'warning',
  });
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

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
await bundle();
await declare();
// What is bundled with the element asks for its licence to go along.
await copyFile(join(HERE, 'node_modules/lit/LICENSE'), join(folder, 'lit-LICENSE.txt'));
