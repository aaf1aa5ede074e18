import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { synthesize } from '../../lib/infra/synthesize.ts';

export interface FunctionSize {
  name: string;
  /** Bytes of index.mjs and of the worker beside it. */
  handler: number;
  worker: number;
  /** Milliseconds that a new process takes to import the handler, the median of three. */
  init: number;
}

/** Builds every function as it is deployed and imports it in a process of its own. */
export function measureFunctions(): FunctionSize[] {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-'));
  try {
    const { template } = synthesize({
      mailDomain: 'posthorn.test',
      bundle: true,
      outdir: folder,
      local: true,
    });
    const functions = Object.values(template['Resources']).filter(
      (one: any) => one.Type === 'AWS::Lambda::Function',
    );
    return functions.map((one: any) => {
      const asset = join(folder, one.Metadata['aws:asset:path']);
      const size = (file: string) =>
        readdirSync(asset).includes(file) ? statSync(join(asset, file)).size : 0;
      return {
        name: basename(dirname(one.Metadata['posthorn:entry'])),
        handler: size('index.mjs'),
        worker: size('mime-worker.mjs'),
        init: initOf(join(asset, 'index.mjs'), one.Properties.Environment?.Variables ?? {}),
      };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function initOf(file: string, variables: Record<string, unknown>): number {
  const source = `const from = performance.now();
    await import(${JSON.stringify(pathToFileURL(file).href)});
    console.log(performance.now() - from);
    process.exit();`;
  // What refers to other resources does not matter for loading, but lists have to be lists.
  const env = Object.entries(variables).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : '[]',
  ]);
  const times = [1, 2, 3].map(() =>
    Number(
      execFileSync(process.execPath, ['--input-type=module', '--eval', source], {
        env: { ...Object.fromEntries(env), AWS_REGION: 'us-east-1', PATH: process.env['PATH'] },
      }),
    ),
  );
  return times.sort((a, b) => a - b)[1]!;
}
