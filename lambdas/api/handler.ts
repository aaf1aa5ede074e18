import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { checkDns } from '../../lib/adapters/check-dns.ts';
import { archiveUrl } from '../../lib/adapters/archive-objects.ts';
import { apiKeyStore } from '../../lib/adapters/dynamo/api-key-store.ts';
import { archiveStore } from '../../lib/adapters/dynamo/archive-store.ts';
import { openDatabase } from '../../lib/adapters/dynamo/client.ts';
import { bearerTokens } from '../../lib/adapters/dynamo/bearer-tokens.ts';
import { settleDeed } from '../../lib/adapters/dynamo/deed.ts';
import { directory } from '../../lib/adapters/dynamo/directory.ts';
import { eventStore } from '../../lib/adapters/dynamo/event-store.ts';
import { inboxStore } from '../../lib/adapters/dynamo/inbox-store.ts';
import { lineStore } from '../../lib/adapters/dynamo/line-store.ts';
import { mailboxStore } from '../../lib/adapters/dynamo/mailbox-store.ts';
import { organizationStore } from '../../lib/adapters/dynamo/organization-store.ts';
import { pageTokens } from '../../lib/adapters/dynamo/page-tokens.ts';
import { commitments, personStore } from '../../lib/adapters/dynamo/person-store.ts';
import { rateBuckets } from '../../lib/adapters/dynamo/rate-buckets.ts';
import { reservations } from '../../lib/adapters/dynamo/reservations.ts';
import { sealStore } from '../../lib/adapters/dynamo/seal-store.ts';
import { podStore } from '../../lib/adapters/dynamo/pod-store.ts';
import { webhookDeliveryLog } from '../../lib/adapters/dynamo/webhook-delivery-log.ts';
import { webhookStore } from '../../lib/adapters/dynamo/webhook-store.ts';
import { keys } from '../../lib/adapters/keys.ts';
import { mailObjects } from '../../lib/adapters/mail-objects.ts';
import { tenantFence } from '../../lib/adapters/tenant-fence.ts';
import { newUlid as ulid } from '../../lib/adapters/ulids.ts';
import { randomUsername } from '../../lib/adapters/usernames.ts';
import { dnsRecord } from '../../lib/contract/dns-record.ts';
import { named } from '../../lib/contract/routes.ts';
import * as apiKeys from '../../lib/core/api-keys.ts';
import { batchCreateInboxes, batchDeleteInboxes } from '../../lib/core/batch-inboxes.ts';
import * as archives from '../../lib/core/archives.ts';
import * as threads from '../../lib/core/change-threads.ts';
import * as changeWebhook from '../../lib/core/change-webhook.ts';
import { createWebhook } from '../../lib/core/create-webhook.ts';
import { deleteInbox } from '../../lib/core/delete-inbox.ts';
import { deleteMessage } from '../../lib/core/delete-message.ts';
import { listEvents } from '../../lib/core/list-events.ts';
import { listLines, listSeals } from '../../lib/core/list-lines.ts';
import { mintToken } from '../../lib/core/mint-token.ts';
import { getOwnOrganization, updateOwnOrganization } from '../../lib/core/organizations.ts';
import * as pods from '../../lib/core/pods.ts';
import { provisionInbox } from '../../lib/core/provision-inbox.ts';
import { getInbox, listInboxes } from '../../lib/core/read-inboxes.ts';
import * as messages from '../../lib/core/read-messages.ts';
import { listThreads } from '../../lib/core/list-threads.ts';
import * as readThreads from '../../lib/core/read-threads.ts';
import { updateInbox } from '../../lib/core/update-inbox.ts';
import { batchUpdateMessages, updateMessage } from '../../lib/core/update-messages.ts';
import { listDeliveries, redeliver } from '../../lib/core/webhook-deliveries.ts';
import * as webhooks from '../../lib/core/webhooks.ts';
import { whoAmI } from '../../lib/core/who-am-i.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { httpDoor } from '../../lib/edge/http.ts';
import { keyCaller } from '../../lib/edge/key-caller.ts';
import { createLog } from '../../lib/edge/log.ts';
import { leasedRates } from '../../lib/edge/rates.ts';
import { env } from './env.ts';

const {
  TABLE_NAME,
  BUCKET_NAME,
  TENANT_ROLE_ARN,
  MAIL_DOMAIN,
  PUBLIC_ORIGINS,
  DNS_RECORDS,
  QUARANTINE_DAYS,
  EXPIRY_NOTICE_MINUTES,
  ALLOW_LOOPBACK_WEBHOOKS,
} = readEnv(env);
const now = Date.now;
// Who calls is found, counted and noted with the function's own credentials, which reach no mail; the call itself is
// carried out with those of its organization.
const lookups = openDatabase(TABLE_NAME);
const fence = tenantFence({ tableName: TABLE_NAME, roleArn: TENANT_ROLE_ARN, now });
const { database } = fence;
const places = directory(lookups, now, (organization, work) =>
  fence.within(organization, () => work(database)),
);
const bearers = bearerTokens(lookups);
const tokens = pageTokens(lookups);
const inboxes = inboxStore(database);
const organizations = organizationStore(database);
const reading = {
  mailbox: mailboxStore(database, now),
  objects: mailObjects(BUCKET_NAME, now, fence),
  tokens,
};
const changing = { mailbox: reading.mailbox, now, ulid };
const keeping = {
  apiKeys: apiKeyStore(database),
  pods: podStore(database),
  webhooks: webhookStore(database),
  ...{ keys, tokens, now, ulid },
};
const ledger = {
  lines: lineStore(database),
  persons: personStore(database),
  seals: sealStore(database),
  organizations,
  tokens,
  now,
};
const randomSecret = () => randomBytes(32).toString('base64');
const allowLoopbackWebhooks = ALLOW_LOOPBACK_WEBHOOKS === 'true';
const hooking = {
  ...keeping,
  inboxes,
  deliveries: webhookDeliveryLog(database, now),
  ...{ randomSecret, allowLoopbackWebhooks },
};
const provisioning = {
  inboxes,
  keys,
  now,
  ulid,
  randomUsername,
  checkDns: checkDns(z.array(dnsRecord).parse(JSON.parse(DNS_RECORDS)), now),
  randomSecret,
  mailDomain: MAIL_DOMAIN,
  allowLoopbackWebhooks,
  expiryNoticeMinutes: Number(EXPIRY_NOTICE_MINUTES),
};
const log = createLog();
const batching = {
  settle: settleDeed(lookups),
  report: (error: unknown) => log.error('an item of a batch failed', { error }),
};

const takingDown = { inboxes, now, ulid, quarantineDays: Number(QUARANTINE_DAYS) };

// What stands at several levels is one use case at each of them: the scope of the call is all that differs.
const ofInboxes = {
  create: provisionInbox(provisioning),
  list: listInboxes({ inboxes, tokens }),
  get: getInbox({ inboxes }),
  update: updateInbox(provisioning),
  delete: deleteInbox(takingDown),
  batchCreate: batchCreateInboxes({ ...provisioning, ...batching }),
  batchDelete: batchDeleteInboxes({ ...takingDown, ...batching }),
};
const ofThreads = {
  list: listThreads(reading),
  get: readThreads.getThread(reading),
  update: threads.updateThread(changing),
  delete: threads.deleteThread(changing),
  getAttachment: readThreads.getThreadAttachment(reading),
};
const ofKeys = {
  create: apiKeys.createApiKey(keeping),
  list: apiKeys.listApiKeys(keeping),
  get: apiKeys.getApiKey(keeping),
  update: apiKeys.updateApiKey(keeping),
  delete: apiKeys.deleteApiKey(keeping),
};
const ofWebhooks = {
  create: createWebhook(hooking),
  list: webhooks.listWebhooks(hooking),
  get: webhooks.getWebhook(hooking),
  update: changeWebhook.updateWebhook(hooking),
  delete: webhooks.deleteWebhook(hooking),
  getHeaders: webhooks.getWebhookHeaders(hooking),
  updateHeaders: changeWebhook.updateWebhookHeaders(hooking),
  rotateSecret: changeWebhook.rotateWebhookSecret(hooking),
  listDeliveries: listDeliveries(hooking),
  redeliver: redeliver(hooking),
};
const archiving = {
  archives: archiveStore(database),
  urlOf: archiveUrl(BUCKET_NAME, now, fence),
  ...{ tokens, now },
};
const ofArchives = {
  list: archives.listArchives(archiving),
  get: archives.getArchive(archiving),
  delete: archives.deleteArchive(archiving),
};
const ofAudit = { list: listLines(ledger) };

/** HTTP, signed: everything an organization and its agents do. */
export const handler = httpDoor({
  authenticate: keyCaller({
    origins: PUBLIC_ORIGINS.split(' '),
    directory: places,
    tokens: bearers,
    now,
  }),
  deeds: { settle: settleDeed(lookups), commit: commitments(lookups, { now }) },
  rates: leasedRates({ buckets: rateBuckets(lookups), now }),
  reservations: reservations(lookups, now),
  within: (organization, work) => fence.within(organization, work),
  ulid,
  useCases: {
    'auth.me': whoAmI(),
    'auth.token': mintToken({ tokens: bearers, places, now, ulid }),
    'organizations.get': getOwnOrganization({ organizations }),
    'organizations.update': updateOwnOrganization({ organizations, now }),
    ...named('pods', {
      create: pods.createPod(keeping),
      list: pods.listPods(keeping),
      get: pods.getPod(keeping),
      delete: pods.deletePod(keeping),
    }),
    ...named('inboxes', ofInboxes),
    ...named('pods.inboxes', ofInboxes),
    ...named('inboxes.messages', {
      list: messages.listMessages(reading),
      get: messages.getMessage(reading),
      batchGet: messages.batchGetMessages(reading),
      batchUpdate: batchUpdateMessages(changing),
      update: updateMessage(changing),
      delete: deleteMessage(changing),
      getRaw: messages.getRawMessage(reading),
      getAttachment: messages.getMessageAttachment(reading),
    }),
    'inboxes.events.list': listEvents({ events: eventStore(database, now), tokens }),
    ...named('archives', ofArchives),
    ...named('pods.archives', ofArchives),
    ...named('threads', ofThreads),
    ...named('pods.threads', ofThreads),
    ...named('inboxes.threads', ofThreads),
    ...named('apiKeys', ofKeys),
    ...named('pods.apiKeys', ofKeys),
    ...named('inboxes.apiKeys', ofKeys),
    ...named('webhooks', ofWebhooks),
    ...named('pods.webhooks', ofWebhooks),
    ...named('inboxes.webhooks', ofWebhooks),
    ...named('audit', ofAudit),
    ...named('pods.audit', ofAudit),
    ...named('inboxes.audit', ofAudit),
    'audit.seals': listSeals(ledger),
  },
});
