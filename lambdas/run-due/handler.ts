import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { dueStore } from '../../lib/adapters/dynamo/due-store.ts';
import { mailboxStore } from '../../lib/adapters/dynamo/mailbox-store.ts';
import { receiving } from '../../lib/adapters/receiving.ts';
import { receiveMail } from '../../lib/core/receive-mail.ts';
import { reconcile } from '../../lib/core/reconcile.ts';
import { runDue } from '../../lib/core/run-due.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { createLog } from '../../lib/edge/log.ts';
import { env } from './env.ts';

const environment = readEnv(env);
const now = Date.now;
const log = createLog();
const database = openDatabase(environment.TABLE_NAME);
const deps = receiving(environment, now);
const report = (error: unknown, about: Record<string, unknown>): void =>
  log.error('due work failed', { ...about, error });

/** Each minute: what waits, and mail whose notice was lost. */
export const handler = runDue({
  due: dueStore(database, now),
  mailbox: mailboxStore(database, now),
  objects: deps.objects,
  reconcile: reconcile({ objects: deps.objects, receive: receiveMail(deps), now, report }),
  now,
  ulid: deps.ulid,
  report,
});
