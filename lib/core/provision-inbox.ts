import { about, type Call, type UseCase } from '../contract/call.ts';
import type { CreateInbox, ProvisionedInbox } from '../contract/inbox.ts';
import { may } from '../contract/principal.ts';
import { checkAll, notFound, Problem } from '../contract/problem.ts';
import { covers } from '../contract/scope.ts';
import { addressOf, normalizeUsername } from './address.ts';
import { newWebhook } from './create-webhook.ts';
import { defined } from './defined.ts';
import { inboxEvent } from './inbox-event.ts';
import { checkExpiry, lifetimeOf, withWaiting } from './inbox-lifetime.ts';
import { issueCredential, keyRegistered } from './issue-credential.ts';
import { boundsOf } from './key-bounds.ts';
import type {
  CheckDns,
  InboxStore,
  Keys,
  NewUlid,
  Now,
  Provision,
  ProvisionOutcome,
  StoredInbox,
} from './ports.ts';
import { toInbox } from './read-inboxes.ts';
import { toWebhook } from './show-webhook.ts';
import { together } from './together.ts';
import { checkMayHear } from './webhook-scope.ts';
import { checkWebhookUrl } from './webhook-target.ts';

export interface ProvisionDeps {
  inboxes: InboxStore;
  keys: Keys;
  checkDns: CheckDns;
  now: Now;
  ulid: NewUlid;
  /** A readable name nobody is likely to have, such as `brisk-otter-4821`. */
  randomUsername: () => string;
  /** 32 random bytes, base64. */
  randomSecret: () => string;
  mailDomain: string;
  allowLoopbackWebhooks: boolean;
  /** How long before its end an inbox is announced to expire. */
  expiryNoticeMinutes: number;
}

type CreateRoute = 'inboxes.create' | 'pods.inboxes.create';

/** A random name that is taken is drawn again, this often at most. */
const draws = 5;

/**
 * Gives an agent an inbox: address, rows, and where asked a key and a webhook, in one transaction. Repeating
 * the call with the same `client_id` answers the inbox of the first, whatever else it says.
 */
export const provisionInbox =
  (deps: ProvisionDeps): UseCase<CreateRoute> =>
  async (call) => {
    const body: CreateInbox = call.body ?? {};
    checkAllowed(call, body);
    if ((body.domain ?? deps.mailDomain).toLowerCase().replace(/\.$/, '') !== deps.mailDomain)
      throw notFound('Domain');
    checkAll(
      () => body.username != null && normalizeUsername(body.username),
      () => body.webhook != null && checkWebhookUrl(body.webhook.url, deps.allowLoopbackWebhooks),
      () => body.expires_at != null && checkExpiry(body.expires_at, deps.now()),
    );
    const dns = deps.checkDns();
    for (let draw = 1; ; draw++) {
      const username = normalizeUsername(body.username ?? deps.randomUsername());
      const { provision, answer } = prepare(deps, call, body, addressOf(username, deps.mailDomain));
      const outcome = await deps.inboxes.provision(provision);
      if (outcome === 'created') return { ...answer, dns: await dns };
      if (typeof outcome === 'object' && 'existing' in outcome)
        return { ...madeBefore(call, outcome), dns: await dns };
      const taken = typeof outcome === 'object' && 'taken_by' in outcome;
      const drawAgain = taken && body.username == null && draw < draws;
      if (!drawAgain) throw await refusal(deps, outcome, username, call.scope.organization_id);
    }
  };

function checkAllowed({ principal }: Call<CreateRoute>, body: CreateInbox): void {
  if (body.credential != null && !may(principal, 'api_key_create'))
    throw new Problem('missing_permission', 'api_key_create is forbidden', {
      fix: 'Leave out credential, or use a key that may create keys.',
    });
  if (body.webhook != null && !may(principal, 'webhook_create'))
    throw new Problem('missing_permission', 'webhook_create is forbidden', {
      fix: 'Leave out webhook, or use a key that may create webhooks.',
    });
  checkMayHear(principal, body.webhook?.event_types ?? []);
}

function prepare(deps: ProvisionDeps, call: Call<CreateRoute>, body: CreateInbox, address: string) {
  const { principal, scope: where, deed } = call;
  const now = deps.now();
  const created_at = new Date(now).toISOString();
  const { organization_id } = where;
  const made: StoredInbox = {
    uid: `inb_${deps.ulid()}`,
    organization_id,
    pod_id: where.pod_id ?? organization_id,
    inbox_id: address,
    email: address,
    ...(body.display_name != null && { display_name: body.display_name }),
    ...(body.client_id != null && { client_id: body.client_id }),
    ...(body.metadata != null && { metadata: body.metadata }),
    ...lifetimeOf({}, body, now),
    stored_bytes: 0,
    updated_at: created_at,
    created_at,
  };
  const { inbox, due } = withWaiting(made, body, { now, expiryNoticeMinutes: deps.expiryNoticeMinutes });
  const scope = { organization_id, pod_id: inbox.pod_id, inbox: { uid: inbox.uid, inbox_id: address } };
  const key =
    body.credential != null
      ? issueCredential(deps, body.credential, scope, {
          created_at,
          ...boundsOf(principal, {}, now),
          created_by: { api_key_id: principal.api_key_id },
        })
      : undefined;
  const webhook =
    body.webhook != null
      ? newWebhook(deps, {
          ...scope,
          url: checkWebhookUrl(body.webhook.url, deps.allowLoopbackWebhooks),
          event_types: body.webhook.event_types,
          created_at,
        })
      : undefined;
  about(deed, [inbox.uid, ...(key ? [key.issued.api_key_id] : []), ...(webhook ? [webhook.webhook_id] : [])]);
  const provision: Provision = {
    inbox,
    event: inboxEvent('inbox.created', inbox, created_at, deps.ulid),
    ...(key && { credential: key.credential }),
    ...(webhook && { webhook }),
    due,
    deed,
  };
  const answer: ProvisionedInbox = {
    ...toInbox(inbox),
    ...(key && { credential: key.issued }),
    ...(webhook && { webhook: toWebhook(webhook) }),
  };
  return { provision, answer };
}

/** What the same `client_id` made, without the private half of its key and what the caller may not read; an inbox out of the key's scope is not shown. */
function madeBefore(
  { principal, scope }: Call<CreateRoute>,
  { existing, credential, webhook }: Existing,
): ProvisionedInbox {
  // The webhook has its secret with it.
  const shown = webhook && may(principal, 'webhook_read') ? toWebhook(webhook) : undefined;
  if (covers(scope, existing)) return { ...toInbox(existing), ...defined({ credential, webhook: shown }) };
  throw new Problem('conflict', 'this client_id is in use in another pod of the organization', {
    fix: 'Choose another client_id.',
  });
}

type Existing = Extract<ProvisionOutcome, { existing: StoredInbox }>;
type Refused = Exclude<ProvisionOutcome, 'created' | Existing>;

async function refusal(
  deps: ProvisionDeps,
  outcome: Refused,
  username: string,
  organizationId: string,
): Promise<Problem> {
  if (outcome === 'no_organization') return notFound('Organization');
  if (outcome === 'no_pod') return notFound('Pod');
  if (outcome === 'organization_suspended')
    return new Problem('account_suspended', 'the organization is suspended');
  if (typeof outcome === 'object' && 'inbox_limit' in outcome)
    return new Problem('limit_exceeded', `the organization has its ${outcome.inbox_limit} inboxes`, {
      resource: 'inboxes',
      limit: outcome.inbox_limit,
    });
  if (outcome === 'key_registered') return keyRegistered();
  if (outcome === 'no_parent') return new Problem('unknown_api_key', 'the calling key has been revoked');
  const suggestions = await freeNames(deps, username);
  const detail = { fix: 'Choose another username.', suggestions };
  return outcome.taken_by === organizationId
    ? new Problem('already_exists', `${username}@${deps.mailDomain} is an inbox of yours already`, detail)
    : new Problem('resource_taken', `${username}@${deps.mailDomain} is taken`, detail);
}

async function freeNames(deps: ProvisionDeps, username: string): Promise<string[]> {
  const stem = username.slice(0, 50);
  const candidates = [
    ...[2, 3, 4, 5].map((n) => `${stem}${n}`),
    `${stem}-${deps.randomUsername()}`.slice(0, 64).replace(/[.-]+$/, ''),
  ];
  const addresses = candidates.map((name) => `${name}@${deps.mailDomain}`);
  const [taken, resting] = await together([deps.inboxes.holders(addresses), deps.inboxes.resting(addresses)]);
  return candidates.filter((_, at) => !taken.has(addresses[at]!) && !resting.has(addresses[at]!)).slice(0, 3);
}
