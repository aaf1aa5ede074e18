import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { bundle } from '../../lib/infra/bundle.ts';
import { assembly } from '../support/assembly.ts';

const outdir = mkdtempSync(join(tmpdir(), 'posthorn-bundle-'));
afterAll(() => rmSync(outdir, { recursive: true }));

const { template, folder: assets } = await assembly();
const functions = Object.values<any>(template['Resources'])
  .filter(({ Type }) => Type === 'AWS::Lambda::Function')
  .map(({ Metadata, Properties }) => ({
    name: Metadata['posthorn:entry'].split('/')[1] as string,
    folder: join(assets, Metadata['aws:asset:path']),
    environment: Object.keys(Properties.Environment?.Variables ?? {}),
  }));

/** Runs a module text in a Node of its own that has nothing but the function's variables. */
async function run(source: string, environment: string[]) {
  const values: Record<string, string> = {
    DNS_RECORDS: '[]',
    QUARANTINE_DAYS: '30',
    EXPIRY_NOTICE_MINUTES: '60',
    TRY_SECONDS: '15',
    ALLOW_LOOPBACK_WEBHOOKS: 'false',
    PUBLIC_ORIGINS: 'https://a.example',
  };
  const env = Object.fromEntries(environment.map((name) => [name, values[name] ?? 'mail.acme.io']));
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], {
    // Outside the project, so that nothing resolves from its node_modules.
    cwd: outdir,
    env: { AWS_REGION: 'us-east-1', ...env },
  });
  return stdout.trim();
}

describe('bundles', { timeout: 60_000 }, () => {
  it.each(functions)(
    'of $name loads on its own and exports a handler',
    async ({ name, folder, environment }) => {
      const index = join(folder, 'index.mjs');
      const report = `console.log(typeof (await import(${JSON.stringify(index)})).handler, Math.round(performance.now())); process.exit()`;
      const [type, ms] = (await run(report, environment)).split(' ');
      expect(type).toBe('function');
      const size = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
      console.log(`${name}: ${Math.round(size / 1024)} KB, node start to handler ${ms} ms`);
      // Unzipped; Lambda's own limit is 250 MB, this one is about cold starts.
      expect(size).toBeLessThan(6 * 1024 * 1024);
    },
  );

  it('are minified ESM that carries the SDK', () => {
    const api = readFileSync(join(functions.find(({ name }) => name === 'api')!.folder, 'index.mjs'), 'utf8');
    expect(api.split('\n').length).toBeLessThan(api.length / 200);
  });

  it.each(functions)('of $name need nothing but Node itself', ({ folder }) => {
    const text = readFileSync(join(folder, 'index.mjs'), 'utf8');
    const imported = [...text.matchAll(/(?:^|[;}])import\s*(?:[\w*{}\s,$]+?from\s*)?["']([^"']+)["']/g)];
    expect(imported.length).toBeGreaterThan(0);
    expect(imported.map(([, name]) => name).filter((name) => !/^(node:)?[a-z_/]+$/.test(name!))).toEqual([]);
    expect(existsSync(join(folder, 'node_modules'))).toBe(false);
  });

  it.each(functions.filter(({ name }) => ['receive-mail', 'run-due'].includes(name)))(
    'of $name has the parsing thread beside it, which starts',
    async ({ folder }) => {
      const worker = join(folder, 'mime-worker.mjs');
      expect(existsSync(worker)).toBe(true);
      const load = `import(${JSON.stringify(worker)}).then(() => require('node:worker_threads').parentPort.postMessage('loaded'))`;
      const start = `import { Worker } from 'node:worker_threads'; const worker = new Worker(${JSON.stringify(load)}, { eval: true, execArgv: [] });
        worker.on('error', (error) => { console.log(error); process.exit(1); });
        worker.on('message', (message) => { console.log(message); process.exit(); });`;
      expect(await run(start, [])).toBe('loaded');
    },
  );

  it('come out the same twice: the hash of an asset says whether a function changed', () => {
    const again = mkdtempSync(join(outdir, 'again-'));
    bundle({ index: 'lambdas/publish-event/handler.ts' }, again);
    const { folder } = functions.find(({ name }) => name === 'publish-event')!;
    expect(readFileSync(join(again, 'index.mjs'))).toEqual(readFileSync(join(folder, 'index.mjs')));
  });
});
