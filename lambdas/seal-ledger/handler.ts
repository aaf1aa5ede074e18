import { createHash } from 'node:crypto';
import type { DynamoDBRecord } from 'aws-lambda';
import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { lineOf } from '../../lib/adapters/dynamo/line-rows.ts';
import { sealStore } from '../../lib/adapters/dynamo/seal-store.ts';
import { sealLines, type WrittenLine } from '../../lib/core/seal-lines.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { createLog } from '../../lib/edge/log.ts';
import { streamBatchDoor } from '../../lib/edge/stream-batch.ts';
import { env } from './env.ts';

const { TABLE_NAME } = readEnv(env);
const log = createLog();

/** A line is written once and never touched again; whoever does leaves a trace here, and a seal that does not match. */
function writtenLine({ eventName, dynamodb }: DynamoDBRecord): WrittenLine | undefined {
  if (eventName !== 'INSERT') {
    log.error('a line of the ledger was tampered with', { event: eventName, row: dynamodb?.Keys });
    return undefined;
  }
  const line = lineOf(dynamodb?.NewImage);
  if (line === undefined) return undefined;
  const written_at = dynamodb!.ApproximateCreationDateTime! * 1000;
  return { line, sequence: dynamodb!.SequenceNumber!, written_at };
}

/** The table's stream: lines of the ledger were written. */
export const handler = streamBatchDoor({
  parse: writtenLine,
  run: sealLines({
    seals: sealStore(openDatabase(TABLE_NAME)),
    sha256: (bytes) => createHash('sha256').update(bytes).digest(),
    now: Date.now,
    report: (message, about) => log.error(message, about),
  }),
});
