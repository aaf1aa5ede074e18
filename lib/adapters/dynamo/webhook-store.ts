import type { Scope } from '../../contract/principal.ts';
import type { PageRequest } from '../../core/ports.ts';
import type { PodWebhooks, StoredWebhook, WebhookStore } from '../../core/webhook-ports.ts';
import { together } from '../../core/together.ts';
import type { Database, Row } from './client.ts';
import { transactDeed } from './deed.ts';
import { eventRow } from './event-rows.ts';
import {
  byOrganizationWebhooksPk,
  byPodWebhooksPk,
  clientIdKey,
  inboxKey,
  webhookKey,
  webhookPk,
  webhookPlaceKey,
  webhookPrefix,
  type Key,
} from './keys.ts';
import { getRow, getRows, queryRange } from './rows.ts';
import { table } from './table.ts';
import { transact } from './transaction.ts';
import { toStoredWebhook, webhookRow } from './webhook-rows.ts';
import { createWrites, deleteWrites } from './webhook-writes.ts';

/** Characters of an id that is looked up; DynamoDB takes 1,024 bytes of a sort key. */
const longest = 320;
const webhookRange = { from: webhookPrefix, to: `${webhookPrefix}\u{10ffff}` };

/** Webhooks in the table. */
export const webhookStore = (database: Database): WebhookStore & PodWebhooks => ({
  async create(webhook, deed) {
    const { organization_id, client_id } = webhook;
    const outcome = await transactDeed(database, deed, createWrites(webhook));
    if (outcome === 'done') return 'created';
    const { refused, row } = outcome;
    if (refused === 'organization') {
      if (row === undefined) return 'no_organization';
      return row['state'] === 'active' ? 'limit' : 'organization_suspended';
    }
    if (refused === 'inbox') return row === undefined ? 'no_place' : 'limit';
    if (refused === 'no_place') return 'no_place';
    const webhook_id: string = row!['webhook_id'];
    const existing = await this.get(organization_id, webhook_id);
    if (existing !== undefined) return { existing };
    await dropClient(database, clientIdKey(organization_id, 'webhook', client_id!), webhook_id);
    return 'passing';
  },

  async get(organizationId, webhookId) {
    if (webhookId.length > longest) return undefined;
    const [row, place] = await getRows(database, [
      webhookKey(organizationId, webhookId),
      webhookPlaceKey(organizationId, webhookId),
    ]);
    if (row !== undefined) return toStoredWebhook(row);
    const uid: string | undefined = place?.['uid'];
    if (uid === undefined) return undefined;
    const [inside] = await standing(database, organizationId, [
      await getRow(database, webhookKey(organizationId, webhookId, uid)),
    ]);
    return inside;
  },

  async list(scope, page) {
    const { rows, last } = await listed(database, scope, page);
    return { items: await standing(database, scope.organization_id, rows), ...(last && { next: last }) };
  },

  async update(webhook, expected, deed, event) {
    const { organization_id } = webhook;
    const outcome = await transactDeed(database, deed, [
      {
        put: webhookRow(webhook),
        condition: 'updated_at = :expected',
        values: { ':expected': expected },
        otherwise: 'refused',
      },
      ...(event === undefined
        ? []
        : [{ put: eventRow({ organization_id }, event, Math.floor(Date.parse(event.timestamp) / 1000)) }]),
    ]);
    if (outcome === 'done') return 'updated';
    return outcome.row === undefined ? 'gone' : 'stale';
  },

  async delete(webhook, deed) {
    const writes = deleteWrites(webhook);
    const outcome = await transactDeed(database, deed, writes);
    if (outcome === 'done') return 'deleted';
    if (outcome.refused === 'gone') return 'gone';
    // Its inbox went in between and takes it along; the rows that are left need no count.
    const uncounted = await transactDeed(
      database,
      deed,
      writes.filter(({ otherwise }) => otherwise !== 'uncounted'),
    );
    return uncounted === 'done' ? 'deleted' : 'gone';
  },

  async hearing({ organization_id, inbox }) {
    const [wide, own] = await together([
      all(database, webhookPk(organization_id)),
      inbox === undefined ? [] : all(database, webhookPk(organization_id, inbox.uid)),
    ]);
    return [...wide.filter((webhook) => hears(webhook, inbox)), ...own];
  },

  async ofPod(organizationId, podId) {
    return (await all(database, webhookPk(organizationId))).filter(({ pod_id }) => pod_id === podId);
  },
});

/** Whether a webhook of an organization or a pod hears an inbox, or without one what concerns no inbox. */
function hears({ pod_id, pod_ids, inboxes }: StoredWebhook, inbox?: { uid: string; pod_id: string }) {
  const narrow = pod_ids !== undefined || inboxes !== undefined;
  if (inbox === undefined) return pod_id === undefined && !narrow;
  if (pod_id !== undefined && pod_id !== inbox.pod_id) return false;
  return (
    !narrow ||
    pod_ids?.includes(inbox.pod_id) === true ||
    inboxes?.some(({ uid }) => uid === inbox.uid) === true
  );
}

/** Every webhook that stands in a partition: at most 50 in an organization's and 10 in an inbox's, of some kilobytes each. */
async function all(database: Database, partition: string): Promise<StoredWebhook[]> {
  const webhooks: StoredWebhook[] = [];
  for (let after: Row | undefined; ;) {
    const { rows, last } = await queryRange(database, {
      ...{ partition, ...webhookRange, limit: 100, ascending: true },
      ...(after && { after }),
    });
    webhooks.push(...rows.map(toStoredWebhook));
    if (last === undefined) return webhooks;
    after = last;
  }
}

/** One page of rows: those of an inbox from its partition, those of a pod or an organization through their index. */
async function listed(
  database: Database,
  { organization_id, pod_id, inbox }: Scope,
  { limit, ascending, after }: PageRequest,
): Promise<{ rows: (Row | undefined)[]; last: Row | undefined }> {
  const page = { limit, ascending, ...(after && { after }) };
  if (inbox !== undefined) {
    const partition = webhookPk(organization_id, inbox.uid);
    return queryRange(database, { partition, ...webhookRange, ...page });
  }
  const list =
    pod_id === undefined
      ? { index: table.byOrganization, partition: byOrganizationWebhooksPk(organization_id) }
      : { index: table.byPod, partition: byPodWebhooksPk(organization_id, pod_id) };
  const { rows, last } = await queryRange(database, { ...list, ...page });
  return { rows: await getRows(database, rows as Key[]), last };
}

/** The webhooks in rows, without those whose inbox is gone: they went with it, though their rows go a little later. */
async function standing(
  database: Database,
  organization_id: string,
  rows: (Row | undefined)[],
): Promise<StoredWebhook[]> {
  const webhooks = rows.filter((row) => row !== undefined).map(toStoredWebhook);
  const uids = [...new Set(webhooks.flatMap(({ inbox }) => (inbox === undefined ? [] : [inbox.uid])))];
  if (uids.length === 0) return webhooks;
  const homes = await getRows(
    database,
    uids.map((uid) => inboxKey({ organization_id, uid })),
  );
  const there = new Set(uids.filter((_, at) => homes[at] !== undefined));
  return webhooks.filter(({ inbox }) => inbox === undefined || there.has(inbox.uid));
}

/** A client id whose webhook went without it is free again. */
async function dropClient(database: Database, key: Key, webhook_id: string): Promise<void> {
  await transact(database, [
    {
      delete: key,
      condition: 'webhook_id = :id',
      values: { ':id': webhook_id },
      otherwise: 'changed',
    },
  ]);
}
