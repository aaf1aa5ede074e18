import { resolve } from 'node:path';
import { firstOrganization } from '../lib/cli/first-organization.ts';
import { synthesize } from '../lib/infra/synthesize.ts';
import { serve } from '../lib/local/serve.ts';

try {
  await serve(process.argv.slice(2), {
    synthesize: (options) => synthesize({ ...options, bundle: false, local: true }),
    project: resolve(import.meta.dirname, '..'),
    firstOrganization,
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
