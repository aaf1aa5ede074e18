import { run } from '../lib/cli/run.ts';
import { processShell } from '../lib/cli/shell.ts';

process.exitCode = await run(process.argv.slice(2), processShell());
