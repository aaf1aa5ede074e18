import { createHash } from 'node:crypto';
import type { ReceiveDeps } from '../core/receive-mail.ts';
import { deliveryStore } from './dynamo/delivery-store.ts';
import { openDatabase } from './dynamo/client.ts';
import { inboxStore } from './dynamo/inbox-store.ts';
import { ensureOperatorMailroom } from './dynamo/organization-store.ts';
import { undeliverableStore } from './dynamo/undeliverable-store.ts';
import { mailObjects } from './mail-objects.ts';
import { createMailParser } from './mime.ts';
import { newUlid } from './ulids.ts';

/** Everything that taking a mail in needs: for the function that hears of it, and for the one that finds it left over. */
export function receiving(
  environment: { TABLE_NAME: string; BUCKET_NAME: string; MAIL_DOMAIN: string },
  now: () => number,
): ReceiveDeps {
  const database = openDatabase(environment.TABLE_NAME);
  return {
    inboxes: inboxStore(database),
    ensureOperatorMailroom: ensureOperatorMailroom(database, environment.MAIL_DOMAIN, now),
    undeliverable: undeliverableStore(database, now),
    parser: createMailParser(),
    deliveries: deliveryStore(database, now),
    objects: mailObjects(environment.BUCKET_NAME, now),
    mailDomain: environment.MAIL_DOMAIN,
    now,
    ulid: newUlid,
    sha256: (text) => createHash('sha256').update(text).digest(),
  };
}
