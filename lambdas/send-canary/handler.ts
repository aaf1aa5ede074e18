import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { inboxStore } from '../../lib/adapters/dynamo/inbox-store.ts';
import { ensureOperatorMailroom } from '../../lib/adapters/dynamo/organization-store.ts';
import { mailSender } from '../../lib/adapters/mail-sender.ts';
import { newUlid } from '../../lib/adapters/ulids.ts';
import { sendCanary } from '../../lib/core/send-canary.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { env } from './env.ts';

const { TABLE_NAME, MAIL_DOMAIN } = readEnv(env);
const now = Date.now;
const database = openDatabase(TABLE_NAME);

/** Every few minutes: the deployment mails itself. */
export const handler = sendCanary({
  inboxes: inboxStore(database),
  ensureOperatorMailroom: ensureOperatorMailroom(database, MAIL_DOMAIN, now),
  sendMail: mailSender(),
  mailDomain: MAIL_DOMAIN,
  now,
  ulid: newUlid,
});
