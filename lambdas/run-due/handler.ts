import type { Context } from 'aws-lambda';
import { archiveObjects } from '../../lib/adapters/archive-objects.ts';
import { archiveStore } from '../../lib/adapters/dynamo/archive-store.ts';
import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { dueStore } from '../../lib/adapters/dynamo/due-store.ts';
import { expiryStore } from '../../lib/adapters/dynamo/expiry-store.ts';
import { inboxStore } from '../../lib/adapters/dynamo/inbox-store.ts';
import { mailboxStore } from '../../lib/adapters/dynamo/mailbox-store.ts';
import { measurementStore } from '../../lib/adapters/dynamo/measurement-store.ts';
import { organizationStore } from '../../lib/adapters/dynamo/organization-store.ts';
import { outbox } from '../../lib/adapters/dynamo/outbox.ts';
import { removalStore } from '../../lib/adapters/dynamo/removal-store.ts';
import { webhookDeliveryStore } from '../../lib/adapters/dynamo/webhook-delivery-store.ts';
import { receiving } from '../../lib/adapters/receiving.ts';
import { backgroundThreads } from '../../lib/core/background-threads.ts';
import { expireArchive } from '../../lib/core/expire-archive.ts';
import { expireInboxes } from '../../lib/core/expire-inbox.ts';
import { measureStorage } from '../../lib/core/measure-storage.ts';
import { nudgeEvents } from '../../lib/core/nudge-events.ts';
import { receiveMail } from '../../lib/core/receive-mail.ts';
import { reconcile } from '../../lib/core/reconcile.ts';
import { retainMail } from '../../lib/core/retain-mail.ts';
import { runDue } from '../../lib/core/run-due.ts';
import { withdrawWork } from '../../lib/core/standing-work.ts';
import { together } from '../../lib/core/together.ts';
import { watchDeliveries } from '../../lib/core/watch-deliveries.ts';
import { watchRemoval } from '../../lib/core/watch-removal.ts';
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

const due = dueStore(database, now);
const keeping = {
  mailbox: mailboxStore(database, now),
  inboxes: inboxStore(database),
  organizations: organizationStore(database),
  due,
  now,
  ulid: deps.ulid,
};

const run = runDue({
  due,
  works: {
    ...backgroundThreads({ ...keeping, objects: deps.objects }),
    ...expireInboxes({
      ...keeping,
      expiry: expiryStore(database),
      quarantineDays: Number(environment.QUARANTINE_DAYS),
    }),
    ...retainMail(keeping),
    ...measureStorage({ ...keeping, measurements: measurementStore(database) }),
    ...withdrawWork(due),
    ...watchDeliveries({ deliveries: webhookDeliveryStore(database, now), now }),
    'delete-archive': expireArchive({
      archives: archiveStore(database),
      objects: archiveObjects(environment.BUCKET_NAME),
      now,
      ulid: deps.ulid,
    }),
    'watch-removal': watchRemoval({ removals: removalStore(database), now }),
  },
  reconcile: (mayBegin) =>
    together([
      reconcile({ objects: deps.objects, receive: receiveMail(deps), now, report })(mayBegin),
      nudgeEvents({ outbox: outbox(database), now })(),
    ]),
  report,
});

/** Each minute: what waits, and mail whose notice was lost. */
export const handler = (_event: unknown, context: Context): Promise<unknown> =>
  run(() => context.getRemainingTimeInMillis());
