import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { checkDns } from '../../lib/adapters/check-dns.ts';
import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { directory } from '../../lib/adapters/dynamo/directory.ts';
import { inboxStore } from '../../lib/adapters/dynamo/inbox-store.ts';
import { mailboxStore } from '../../lib/adapters/dynamo/mailbox-store.ts';
import { nonceStore } from '../../lib/adapters/dynamo/nonces.ts';
import { organizationStore } from '../../lib/adapters/dynamo/organization-store.ts';
import { pageTokens } from '../../lib/adapters/dynamo/page-tokens.ts';
import { keys } from '../../lib/adapters/keys.ts';
import { mailObjects } from '../../lib/adapters/mail-objects.ts';
import { newUlid as ulid } from '../../lib/adapters/ulids.ts';
import { randomUsername } from '../../lib/adapters/usernames.ts';
import { dnsRecord } from '../../lib/contract/dns-record.ts';
import * as threads from '../../lib/core/change-threads.ts';
import { deleteMessage } from '../../lib/core/delete-message.ts';
import { getOwnOrganization } from '../../lib/core/organizations.ts';
import { provisionInbox } from '../../lib/core/provision-inbox.ts';
import { getInbox, listInboxes } from '../../lib/core/read-inboxes.ts';
import * as messages from '../../lib/core/read-messages.ts';
import { listOrganizationThreads, listThreads } from '../../lib/core/list-threads.ts';
import * as readThreads from '../../lib/core/read-threads.ts';
import { updateInbox } from '../../lib/core/update-inbox.ts';
import { batchUpdateMessages, updateMessage } from '../../lib/core/update-messages.ts';
import { whoAmI } from '../../lib/core/who-am-i.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { httpDoor } from '../../lib/edge/http.ts';
import { signedCaller } from '../../lib/edge/signed-caller.ts';
import { env } from './env.ts';

const { TABLE_NAME, BUCKET_NAME, MAIL_DOMAIN, PUBLIC_ORIGINS, DNS_RECORDS, ALLOW_LOOPBACK_WEBHOOKS } =
  readEnv(env);
const now = Date.now;
const database = openDatabase(TABLE_NAME);
const inboxes = inboxStore(database);
const tokens = pageTokens(database);
const reading = { mailbox: mailboxStore(database, now), objects: mailObjects(BUCKET_NAME, now), tokens };
const changing = { mailbox: reading.mailbox, now, ulid };

/** HTTP, signed: everything an organization and its agents do. */
export const handler = httpDoor({
  authenticate: signedCaller({ origins: PUBLIC_ORIGINS.split(' '), directory: directory(database), now }),
  nonces: nonceStore(database),
  useCases: {
    'auth.me': whoAmI(),
    'organizations.get': getOwnOrganization({ organizations: organizationStore(database) }),
    'inboxes.create': provisionInbox({
      inboxes,
      keys,
      now,
      ulid,
      randomUsername,
      checkDns: checkDns(z.array(dnsRecord).parse(JSON.parse(DNS_RECORDS)), now),
      randomSecret: () => randomBytes(32).toString('base64'),
      mailDomain: MAIL_DOMAIN,
      allowLoopbackWebhooks: ALLOW_LOOPBACK_WEBHOOKS === 'true',
    }),
    'inboxes.list': listInboxes({ inboxes, tokens }),
    'inboxes.get': getInbox({ inboxes }),
    'inboxes.update': updateInbox({ inboxes, now }),
    'inboxes.messages.list': messages.listMessages(reading),
    'inboxes.messages.get': messages.getMessage(reading),
    'inboxes.messages.batchGet': messages.batchGetMessages(reading),
    'inboxes.messages.batchUpdate': batchUpdateMessages(changing),
    'inboxes.messages.update': updateMessage(changing),
    'inboxes.messages.delete': deleteMessage(changing),
    'inboxes.messages.getRaw': messages.getRawMessage(reading),
    'inboxes.messages.getAttachment': messages.getMessageAttachment(reading),
    'inboxes.threads.list': listThreads(reading),
    'inboxes.threads.get': readThreads.getThread(reading),
    'inboxes.threads.update': threads.updateThread(changing),
    'inboxes.threads.delete': threads.deleteThread(changing),
    'inboxes.threads.getAttachment': readThreads.getThreadAttachment(reading),
    'threads.list': listOrganizationThreads(reading),
    'threads.get': readThreads.getOrganizationThread(reading),
    'threads.update': threads.updateOrganizationThread(changing),
    'threads.delete': threads.deleteOrganizationThread(changing),
    'threads.getAttachment': readThreads.getOrganizationThreadAttachment(reading),
  },
});
