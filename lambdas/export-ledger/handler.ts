import { createHash } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { exportStore } from '../../lib/adapters/dynamo/export-store.ts';
import { ledgerArchive } from '../../lib/adapters/ledger-archive.ts';
import { exportLedger } from '../../lib/core/export-ledger.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { createLog } from '../../lib/edge/log.ts';
import { env } from './env.ts';

const { TABLE_NAME, LEDGER_BUCKET_NAME } = readEnv(env);
const log = createLog();
const now = Date.now;
/** Milliseconds in which an object that was begun is brought to its end. */
const reserve = 60_000;

const run = exportLedger({
  store: exportStore(openDatabase(TABLE_NAME)),
  archive: ledgerArchive(LEDGER_BUCKET_NAME),
  sha256: (bytes) => createHash('sha256').update(bytes).digest(),
  now,
  report: (message, about) => log.error(message, about),
});

/** Each hour: seals and lines go where nobody can change them. */
export const handler = (_event: unknown, context: Context): Promise<void> =>
  run({ until: now() + context.getRemainingTimeInMillis() - reserve });
