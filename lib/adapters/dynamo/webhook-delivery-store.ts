import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { ulidOf } from '../../core/message-lists.ts';
import type { Now } from '../../core/ports.ts';
import { fullMinute } from '../../core/standing-work.ts';
import { watchAfter } from '../../core/watch-deliveries.ts';
import type { WebhookDelivery, WebhookDeliveryStore } from '../../core/webhook-ports.ts';
import type { Database, Row } from './client.ts';
import { dueWrite } from './due-store.ts';
import { deliveryKey, inboxKey, payloadKey, webhookKey, type Key } from './keys.ts';
import { alive, getRows } from './rows.ts';
import { singleWrite } from './single-write.ts';
import { transact, type Write } from './transaction.ts';
import { newDeliveryRow, payloadRow, toDelivery, toPayload } from './webhook-delivery-rows.ts';
import { toStoredWebhook } from './webhook-rows.ts';

const absent = 'attribute_not_exists(pk)';
/** The longest delay of SQS; what is further away waits as a due row. */
const longestDelayMs = 900_000;

type Deliverer = Pick<WebhookDeliveryStore, 'add' | 'load' | 'record' | 'of' | 'nudge' | 'watch'>;

/** Deliveries for those who make them. */
export const webhookDeliveryStore = (database: Database, now: Now): Deliverer => ({
  async add({ organization_id, event_id, inbox_uid: uid }, deliveries, payload) {
    const seconds = Math.floor(now() / 1000);
    const event = ulidOf(event_id);
    const webhook_ids = deliveries.map(({ webhook_id }) => webhook_id);
    const watch = { kind: 'watch-deliveries' as const, organization_id, event, webhook_ids };
    const content: Write<Word>[] =
      payload === undefined || uid === undefined
        ? []
        : [
            // What is said must not come to lie in an inbox that is being purged.
            {
              check: inboxKey({ organization_id, uid }),
              condition: 'attribute_exists(pk)',
              otherwise: 'no_inbox',
            },
            { put: payloadRow({ organization_id, uid }, event, payload, seconds) },
          ];
    // One transaction, so one that is there already says that all were made. Without its inbox there is nothing to say.
    await transact<Word>(database, [
      ...deliveries.map((delivery): Write<Word> => ({
        put: newDeliveryRow(delivery, seconds),
        condition: absent,
        otherwise: 'there',
      })),
      ...content,
      dueWrite(watch, fullMinute(now() + watchAfter)),
    ]);
  },

  async load(job) {
    const { organization_id, webhook_id, webhook_uid, uid, event } = job;
    const content = uid === undefined ? undefined : { organization_id, uid };
    const home = webhook_uid === undefined ? undefined : { organization_id, uid: webhook_uid };
    const keys = {
      row: deliveryKey(organization_id, webhook_id, event),
      webhook: webhookKey(organization_id, webhook_id, webhook_uid),
      payload: content && payloadKey(content, event),
      inbox: content && inboxKey(content),
      home: home && inboxKey(home),
    };
    const asked = Object.entries(keys).filter((entry): entry is [string, Key] => entry[1] !== undefined);
    const rows = await getRows(
      database,
      asked.map(([, key]) => key),
    );
    const found = Object.fromEntries(asked.map(([name], at) => [name, rows[at]])) as {
      [Name in keyof typeof keys]?: Row | undefined;
    };
    if (found.row === undefined || !alive(found.row, now())) return undefined;
    const delivery = toDelivery(found.row);
    const told = found.payload && found.inbox && toPayload(found.payload);
    const body = content === undefined ? delivery.body : told;
    const here = found.webhook !== undefined && (home === undefined || found.home !== undefined);
    return {
      delivery,
      ...(here && { webhook: toStoredWebhook(found.webhook!) }),
      ...(body !== undefined && { body }),
    };
  },

  async record(delivery, attempt) {
    const time = now();
    const write = recordWrite(delivery, attempt, time);
    const later = laterTry(delivery, time);
    if (later.length > 0)
      return (await transact<'moved'>(database, [write, ...later])) === 'done' ? 'recorded' : 'moved';
    // One row needs no transaction, which costs twice as much.
    const outcome = await singleWrite(() => database.client.send(updateOf(database, write)));
    return 'answer' in outcome ? 'recorded' : 'moved';
  },

  async of(organizationId, event, webhookIds) {
    const rows = await getRows(
      database,
      webhookIds.map((id) => deliveryKey(organizationId, id, event)),
    );
    return rows.filter((row): row is Row => row !== undefined && alive(row, now())).map(toDelivery);
  },

  async nudge({ organization_id, webhook_id, event, attempt }) {
    await singleWrite(() =>
      database.client.send(
        updateOf(database, {
          update: deliveryKey(organization_id, webhook_id, event),
          set: 'SET nudge.#count = nudge.#count + :one REMOVE nudge.not_before',
          condition: '#state = :pending AND attempt_count = :made',
          names: { '#count': 'count', '#state': 'state' },
          values: { ':one': 1, ':pending': 'pending', ':made': attempt - 1 },
        }),
      ),
    );
  },

  async watch(work, at) {
    await transact(database, [dueWrite({ kind: 'watch-deliveries', ...work }, fullMinute(at))]);
  },
});

type Word = 'there' | 'no_inbox';
type Update = Extract<Write<string>, { update: Key }>;

const updateOf = (
  { tableName }: Database,
  { update, set, condition, names, values }: Update,
): UpdateCommand =>
  new UpdateCommand({
    TableName: tableName,
    Key: update,
    UpdateExpression: set,
    ConditionExpression: condition,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  });

const waitsAtQueue = (next: string, now: number): boolean => Date.parse(next) - now <= longestDelayMs;

/** The due row of a try that SQS cannot wait for. */
function laterTry(delivery: WebhookDelivery, now: number): Write<never>[] {
  const { organization_id, webhook_id, event_id, attempt_count, next_attempt_at: next } = delivery;
  if (next === undefined || waitsAtQueue(next, now)) return [];
  const event = ulidOf(event_id);
  const attempt = attempt_count + 1;
  return [
    dueWrite(
      { kind: 'retry-delivery', organization_id, webhook_id, event, attempt },
      fullMinute(Date.parse(next)),
    ),
  ];
}

/** The delivery after a try. A next try within reach of SQS is asked for at once, with its time. */
function recordWrite(
  delivery: WebhookDelivery,
  attempt: number,
  now: number,
): Update & { otherwise: 'moved' } {
  const {
    organization_id,
    webhook_id,
    event_id,
    state,
    attempt_count,
    attempts,
    next_attempt_at: next,
  } = delivery;
  const key: Key = deliveryKey(organization_id, webhook_id, ulidOf(event_id));
  const asks = next !== undefined && waitsAtQueue(next, now);
  const sets = [
    '#state = :state, attempt_count = :count, attempts = :attempts, nudge.job.attempt = :next',
    ...(next === undefined ? [] : ['next_attempt_at = :at']),
    ...(asks ? ['nudge.#count = nudge.#count + :one, nudge.not_before = :at'] : []),
  ];
  const removes = [...(next === undefined ? ['next_attempt_at'] : []), ...(asks ? [] : ['nudge.not_before'])];
  return {
    update: key,
    set: `SET ${sets.join(', ')}${removes.length === 0 ? '' : ` REMOVE ${removes.join(', ')}`}`,
    condition: '#state = :pending AND attempt_count = :made',
    names: { '#state': 'state', ...(asks && { '#count': 'count' }) },
    values: {
      ':state': state,
      ':count': attempt_count,
      ':attempts': attempts,
      ':next': attempt_count + 1,
      ':pending': 'pending',
      ':made': attempt - 1,
      ...(next !== undefined && { ':at': next }),
      ...(asks && { ':one': 1 }),
    },
    otherwise: 'moved',
  };
}
