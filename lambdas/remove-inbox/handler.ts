import * as z from 'zod';
import { archiveObjects } from '../../lib/adapters/archive-objects.ts';
import { archiveStore } from '../../lib/adapters/dynamo/archive-store.ts';
import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { inboxStore } from '../../lib/adapters/dynamo/inbox-store.ts';
import { organizationStore } from '../../lib/adapters/dynamo/organization-store.ts';
import { remainingRows } from '../../lib/adapters/dynamo/remaining-rows.ts';
import { removalStore } from '../../lib/adapters/dynamo/removal-store.ts';
import { mboxEntry } from '../../lib/adapters/mbox.ts';
import { remainingObjects } from '../../lib/adapters/remaining-objects.ts';
import { newUlid as ulid } from '../../lib/adapters/ulids.ts';
import { removeInbox } from '../../lib/core/remove-inbox.ts';
import { writeArchive } from '../../lib/core/write-archive.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { createLog } from '../../lib/edge/log.ts';
import { queueDoor } from '../../lib/edge/queue.ts';
import { env } from './env.ts';

const { TABLE_NAME, BUCKET_NAME, QUARANTINE_DAYS } = readEnv(env);
const now = Date.now;
const database = openDatabase(TABLE_NAME);
const log = createLog();
const organizations = organizationStore(database);
const remove = removeInbox({
  inboxes: inboxStore(database),
  organizations,
  removals: removalStore(database),
  rows: remainingRows(database, now),
  objects: remainingObjects(BUCKET_NAME),
  archive: writeArchive({
    archives: archiveStore(database),
    objects: archiveObjects(BUCKET_NAME),
    entry: mboxEntry,
    report: (about) => log.error('a mail of an archive is missing', about),
    ...{ organizations, now },
  }),
  quarantineDays: Number(QUARANTINE_DAYS),
  now,
  ulid,
});
const job = z.object({ organization_id: z.string(), what: z.string() });

/** SQS: an inbox was taken down, or an organization, and its mail, rows and keys are to be removed. */
export const handler = queueDoor({
  parse: (body) => job.parse(JSON.parse(body)),
  run: (removal, context) => remove(removal, () => context.getRemainingTimeInMillis()),
});
