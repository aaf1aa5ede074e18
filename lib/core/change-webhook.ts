import { about, type Deed } from '../contract/call.ts';
import type { KeyPrincipal, Scope } from '../contract/principal.ts';
import { Problem, invalidField, notFound } from '../contract/problem.ts';
import { headersFault, type UpdateWebhookHeaders } from '../contract/webhook-headers.ts';
import type { UpdateWebhook, Webhook } from '../contract/webhook.ts';
import { checkCount, newSecret } from './create-webhook.ts';
import { laterThan } from './later-than.ts';
import type { Now } from './ports.ts';
import { toWebhook } from './show-webhook.ts';
import { together } from './together.ts';
import type { StoredWebhook, WebhookStore } from './webhook-ports.ts';
import {
  checkMayHear,
  findWebhook,
  inboxesNamed,
  podsNamed,
  scopeOfWebhook,
  type TargetDeps,
} from './webhook-scope.ts';

/** What a call of any of the three levels brings: the level is its scope's. */
export interface NamingWebhook {
  principal: KeyPrincipal;
  scope: Scope;
  path: { webhook_id: string };
  deed: Deed;
}
export interface ChangeWebhookDeps {
  webhooks: Pick<WebhookStore, 'get' | 'update'>;
  now: Now;
}

/** Somebody else may change the webhook in between; then the change is made again upon theirs, this often at most. */
const attempts = 10;
/** Milliseconds the secret before goes on signing after a rotation. */
const overlap = 24 * 60 * 60 * 1000;

type Change = (current: StoredWebhook) => Promise<StoredWebhook> | StoredWebhook;

async function change(
  { webhooks, now }: ChangeWebhookDeps,
  { scope, path, deed }: NamingWebhook,
  make: Change,
): Promise<StoredWebhook> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const current = await findWebhook(webhooks, scope, path.webhook_id);
    about(deed, [current.webhook_id], scopeOfWebhook(current).inbox);
    const made = await make(current);
    if (made === current) return current;
    const changed = { ...made, updated_at: laterThan(current.updated_at, now()) };
    const outcome = await webhooks.update(changed, current.updated_at, deed);
    if (outcome === 'updated') return changed;
    if (outcome === 'gone') throw notFound('Webhook');
  }
  throw new Problem('race_condition', 'the webhook is being changed by others');
}

/** Changes what a webhook hears, and whether it does. Its URL and what it is of stay. */
export const updateWebhook =
  (deps: ChangeWebhookDeps & TargetDeps) =>
  async (call: NamingWebhook & { body: UpdateWebhook }): Promise<Webhook> =>
    toWebhook(await change(deps, call, (current) => updated(deps, call, current)));

async function updated(
  deps: TargetDeps,
  { principal, body }: NamingWebhook & { body: UpdateWebhook },
  current: StoredWebhook,
): Promise<StoredWebhook> {
  const event_types = body.event_types?.length ? body.event_types : current.event_types;
  const hearsMore =
    event_types !== current.event_types ||
    body.enabled === true ||
    [body.add_inbox_ids, body.add_pod_ids].some((names) => names != null && names.length > 0);
  if (hearsMore) checkMayHear(principal, event_types);
  const targets = await retargeted(deps, body, current);
  if (!hearsMore && targets === current && body.enabled == null) return current;
  const changed = { ...targets, event_types };
  if (body.enabled == null) return changed;
  const { disabled_reason: _reason, failing_since: _since, ...set } = changed;
  return body.enabled ? { ...set, enabled: true } : { ...changed, enabled: false };
}

/** What it hears after the change: added first, then removed. The very same webhook where nothing is said of it. */
async function retargeted(
  deps: TargetDeps,
  body: UpdateWebhook,
  current: StoredWebhook,
): Promise<StoredWebhook> {
  const asked = targetFields.filter((name) => body[name] != null && body[name].length > 0);
  if (asked.length === 0) return current;
  const scope = scopeOfWebhook(current);
  for (const name of asked) checkFits(name, scope);
  const [inboxes, pods] = await together([
    inboxesNamed(deps, scope, body.add_inbox_ids ?? []),
    podsNamed(deps, scope, body.add_pod_ids ?? []),
  ]);
  const { inboxes: heard = [], pod_ids: heardPods = [], ...rest } = current;
  const without = new Set(body.remove_inbox_ids?.map((name) => name.toLowerCase()));
  const keptInboxes = [...new Map([...heard, ...inboxes].map((each) => [each.uid, each])).values()].filter(
    ({ uid, inbox_id }) => !without.has(uid.toLowerCase()) && !without.has(inbox_id.toLowerCase()),
  );
  const keptPods = [...new Set([...heardPods, ...pods])].filter((id) => !body.remove_pod_ids?.includes(id));
  checkCount(keptInboxes, keptPods);
  const wasNarrow = heard.length + heardPods.length + inboxes.length + pods.length > 0;
  if (wasNarrow && keptInboxes.length + keptPods.length === 0) throw lastOne(asked.at(-1)!);
  return {
    ...rest,
    ...(keptInboxes.length > 0 && { inboxes: keptInboxes }),
    ...(keptPods.length > 0 && { pod_ids: keptPods }),
  };
}

const targetFields = ['add_inbox_ids', 'remove_inbox_ids', 'add_pod_ids', 'remove_pod_ids'] as const;

function checkFits(name: (typeof targetFields)[number], { pod_id, inbox }: Scope): void {
  if (inbox !== undefined) throw invalidField([name], 'the webhook is of one inbox and hears that alone');
  if (pod_id !== undefined && name.endsWith('pod_ids'))
    throw invalidField([name], 'the webhook is of one pod and hears no other');
}

/** Without the last one it would hear everything at once, which nobody asked for. */
const lastOne = (name: string) =>
  invalidField(
    [name],
    'a webhook keeps at least one of the inboxes and pods it names',
    'Disable or delete it.',
  );

/** Gives a webhook a new secret. The one before signs too for a day, so that receivers can change over. */
export const rotateWebhookSecret =
  (deps: ChangeWebhookDeps & { randomSecret: () => string }) =>
  async (call: NamingWebhook): Promise<Webhook> => {
    const secret = newSecret(deps.randomSecret);
    const until = new Date(deps.now() + overlap).toISOString();
    const rotated = await change(deps, call, (current) => ({
      ...current,
      secret,
      previous: { secret: current.secret, until },
    }));
    return toWebhook(rotated);
  };

/** Sets and removes headers that go with each delivery; a name is one name in any spelling. */
export const updateWebhookHeaders =
  (deps: ChangeWebhookDeps) =>
  async (call: NamingWebhook & { body: UpdateWebhookHeaders }): Promise<void> => {
    const { headers: set = {}, remove_headers } = call.body;
    await change(deps, call, ({ headers = {}, ...current }) => {
      const replaced = new Set(
        [...Object.keys(set ?? {}), ...(remove_headers ?? [])].map((name) => name.toLowerCase()),
      );
      const kept = Object.entries(headers).filter(([name]) => !replaced.has(name.toLowerCase()));
      const merged = Object.fromEntries([...kept, ...Object.entries(set ?? {})]);
      const fault = headersFault(merged);
      if (fault !== undefined) throw invalidField(['headers'], fault, 'Remove some with remove_headers.');
      return { ...current, ...(Object.keys(merged).length > 0 && { headers: merged }) };
    });
  };
