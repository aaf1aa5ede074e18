import { defined } from './defined.ts';
import type { DeliveryJob } from './nudge.ts';
import type { NewUlid, Now } from './ports.ts';
import { nextTry } from './retry-ladder.ts';
import type {
  Attempt,
  StoredWebhook,
  WebhookDelivery,
  WebhookDeliveryStore,
  WebhookStore,
} from './webhook-ports.ts';

/** What an endpoint answered, or why there was no answer. */
export type Answer = { status: number; retryAfter?: string } | { reason: string };
/** Port: one POST, with its answer within the time there is for a try. */
export type PostWebhook = (call: {
  url: string;
  headers: Record<string, string>;
  body: string;
}) => Promise<Answer>;
/** Port: the headers that name, date and sign a body; each secret gives a signature. */
export type SignWebhook = (
  secrets: string[],
  said: { id: string; seconds: number; body: string },
) => Record<string, string>;

export interface DeliverWebhookDeps {
  deliveries: Pick<WebhookDeliveryStore, 'load' | 'record'>;
  webhooks: Pick<WebhookStore, 'update'>;
  post: PostWebhook;
  sign: SignWebhook;
  now: Now;
  ulid: NewUlid;
  /** 0 to 1. */
  random: () => number;
}

/** A webhook that nothing reached for this long is disabled. */
const longestFailing = 5 * 24 * 3600 * 1000;
/** Tries that the log of a delivery keeps. */
const keptAttempts = 20;

/** One try of one delivery. A job that is not the next try of a delivery that waits is an old one: nothing happens. */
export const deliverWebhook =
  (deps: DeliverWebhookDeps) =>
  async (job: DeliveryJob): Promise<void> => {
    const loaded = await deps.deliveries.load(job);
    if (loaded === undefined) return;
    const { delivery, webhook, body } = loaded;
    if (delivery.state !== 'pending' || job.attempt !== delivery.attempt_count + 1) return;
    if (webhook?.enabled !== true || body === undefined) {
      await deps.deliveries.record(done(delivery, 'cancelled'), job.attempt);
      return;
    }
    const { attempt, retryAfter } = await tryOnce(deps, delivery, webhook, body);
    const tried = {
      ...delivery,
      attempt_count: job.attempt,
      attempts: [...delivery.attempts, attempt].slice(-keptAttempts),
    };
    // Disabled first: whoever dies in between tries again, and finds it so.
    const reason = reasonToDisable(webhook, attempt, deps.now());
    if (reason !== undefined) await disable(deps, webhook, reason);
    await deps.deliveries.record(after(deps, tried, attempt, retryAfter), job.attempt);
    // Remembered last: many that fail at once write one row, and who does not get to it has moved its delivery at least.
    if (reason === undefined) await remember(deps, webhook, attempt.reason !== undefined);
  };

async function tryOnce(
  { post, sign, now }: DeliverWebhookDeps,
  delivery: WebhookDelivery,
  { url, headers, secret, previous }: StoredWebhook,
  body: string,
): Promise<{ attempt: Attempt; retryAfter?: string | undefined }> {
  const start = now();
  const secrets = [secret];
  if (previous !== undefined && Date.parse(previous.until) > start) secrets.push(previous.secret);
  const said = { id: delivery.event_id, seconds: Math.floor(start / 1000), body };
  const answer = await post({ url, headers: { ...headers, ...sign(secrets, said) }, body });
  const tried = { attempted_at: new Date(start).toISOString(), duration_ms: Math.max(0, now() - start) };
  if ('reason' in answer) return { attempt: { ...tried, reason: answer.reason } };
  const { status, retryAfter } = answer;
  return { attempt: { ...tried, status, ...defined({ reason: reasonOf(status) }) }, retryAfter };
}

const reasonOf = (status: number): string | undefined => {
  if (status >= 200 && status < 300) return undefined;
  return status >= 300 && status < 400 ? 'redirects are not followed' : `status ${status}`;
};

function after(
  { now, random }: DeliverWebhookDeps,
  delivery: WebhookDelivery,
  { reason, status }: Attempt,
  retryAfter: string | undefined,
): WebhookDelivery {
  if (reason === undefined) return done(delivery, 'delivered');
  const at =
    status === gone ? undefined : nextTry({ at: now(), attempt: delivery.attempt_count, retryAfter }, random);
  return at === undefined
    ? done(delivery, 'failed')
    : { ...delivery, next_attempt_at: new Date(at).toISOString() };
}

function done(delivery: WebhookDelivery, state: 'delivered' | 'failed' | 'cancelled'): WebhookDelivery {
  const { next_attempt_at: _next, ...rest } = delivery;
  return { ...rest, state };
}

/** The endpoint wants nothing any more (RFC 9110 §15.5.11). */
const gone = 410;

const reasonToDisable = (
  { failing_since: since }: StoredWebhook,
  { status, reason }: Attempt,
  now: number,
): StoredWebhook['disabled_reason'] => {
  if (status === gone) return 'gone';
  const failing = reason !== undefined && since !== undefined && now - Date.parse(since) >= longestFailing;
  return failing ? 'failing' : undefined;
};

/** Since when it fails. Who has changed the webhook meanwhile is right; the next try sees what they left. */
async function remember(
  { webhooks, now }: DeliverWebhookDeps,
  webhook: StoredWebhook,
  failed: boolean,
): Promise<void> {
  const { failing_since, ...working } = webhook;
  if (failed === (failing_since !== undefined)) return;
  const changed = failed ? { ...working, failing_since: new Date(now()).toISOString() } : working;
  await webhooks.update(changed, webhook.updated_at);
}

async function disable(
  { webhooks, now, ulid }: DeliverWebhookDeps,
  webhook: StoredWebhook,
  disabled_reason: 'gone' | 'failing',
): Promise<void> {
  const time = now();
  const timestamp = new Date(time).toISOString();
  const { organization_id, pod_id, inbox, webhook_id } = webhook;
  await webhooks.update(
    { ...webhook, enabled: false, disabled_reason, updated_at: timestamp },
    webhook.updated_at,
    undefined,
    {
      event_id: `evt_${ulid(time)}`,
      event_type: 'webhook.disabled',
      ...{ organization_id, webhook_id, timestamp, reason: disabled_reason },
      ...defined({ pod_id, inbox_id: inbox?.inbox_id }),
    },
  );
}
