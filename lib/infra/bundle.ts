import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/** The project's folder; entries of functions are named relative to it. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

// CommonJS packages inside an ESM bundle still call require for node: built-ins.
const banner =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);";

/** What one function is built from: file name without `.mjs` → TypeScript entry, relative to the project. */
export type Entries = Record<string, string>;

/**
 * Builds one function into `folder` (made when missing): minified ESM with everything in it, the AWS SDK too,
 * because the runtime's own SDK lags behind. Throws what esbuild finds wrong.
 */
export function bundle(entries: Entries, folder: string): void {
  mkdirSync(folder, { recursive: true });
  buildSync({
    absWorkingDir: projectRoot,
    entryPoints: Object.entries(entries).map(([out, entry]) => ({ in: entry, out })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    banner: { js: banner },
    legalComments: 'none',
    logLevel: 'error',
  });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
}
