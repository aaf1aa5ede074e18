import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for the homes of one run's clouds. Some of them serve until their process ends, and cannot clean up then. */
export default function setup(): () => void {
  const homes = mkdtempSync(join(tmpdir(), 'posthorn-'));
  process.env['POSTHORN_TEST_HOMES'] = homes;
  return () => rmSync(homes, { recursive: true, force: true, maxRetries: 5 });
}
