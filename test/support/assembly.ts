import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { onceARun } from './once-a-run.ts';
import { project } from './posthorn-process.ts';

export const domain = 'posthorn.test';
/** Stands in the template for where the API will be. */
export const origin = 'http://127.0.0.1:65535';

/** A cloud assembly: the template, and the folder whose bundles it names. */
export interface Assembly {
  template: Record<string, any>;
  stackName: string;
  folder: string;
}

// Under one name as long as the bundles are the same, so that what V8 compiled of them serves the next run too.
const kept = join(project, 'node_modules/.cache/posthorn-assemblies');
const day = 24 * 60 * 60_000;

let known: Promise<Assembly> | undefined;

/** What is deployed from today's sources, for an API at `origin`; made by the first who asks, in this run of tests. */
export const assembly = (): Promise<Assembly> => (known ??= onceARun('assembly', build));

async function build(): Promise<Assembly> {
  // Loading the CDK takes a second, which only one process has to spend.
  const { synthesize } = await import('../../lib/infra/synthesize.ts');
  fs.mkdirSync(kept, { recursive: true });
  const outdir = fs.mkdtempSync(join(kept, 'new-'));
  const options = {
    mailDomain: domain,
    publicOrigins: [origin],
    local: true,
    bundle: true,
    canaryMinutes: 5,
  };
  const { template, stackName } = synthesize({ ...options, outdir });
  const folder = join(kept, createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 16));
  if (fs.existsSync(folder)) fs.rmSync(outdir, { recursive: true });
  else fs.renameSync(outdir, folder);
  fs.utimesSync(folder, new Date(), new Date());
  for (const name of fs.readdirSync(kept))
    if (fs.statSync(join(kept, name)).mtimeMs < Date.now() - day)
      fs.rmSync(join(kept, name), { recursive: true });
  return { template, stackName, folder };
}
