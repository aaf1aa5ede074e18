import { about, type Call, type UseCase } from '../contract/call.ts';
import type { CreateInbox, ProvisionedInbox } from '../contract/inbox.ts';
import { hiddenLabels } from '../contract/label.ts';
import { may } from '../contract/principal.ts';
import { checkAll, notFound, Problem } from '../contract/problem.ts';
import { covers } from '../contract/scope.ts';
import type { Webhook } from '../contract/webhook.ts';
import { addressOf, normalizeUsername } from './address.ts';
import { defined } from './defined.ts';
import { issueCredential, keyRegistered } from './issue-credential.ts';
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
  const restricted = hiddenLabels.find(
    (label) =>
      eventsOf(body).some((event) => event.endsWith(`.${label}`)) && !may(principal, `label_${label}_read`),
  );
  if (restricted !== undefined)
    throw new Problem('missing_permission', `label_${restricted}_read is forbidden`, {
      fix: `Leave out message.received.${restricted}, or use a key that may read it.`,
    });
}

const eventsOf = (body: CreateInbox): readonly string[] => body.webhook?.event_types ?? [];

function prepare(deps: ProvisionDeps, call: Call<CreateRoute>, body: CreateInbox, address: string) {
  const { principal, scope: where, deed } = call;
  const created_at = new Date(deps.now()).toISOString();
  const { organization_id } = where;
  const inbox: StoredInbox = {
    uid: `inb_${deps.ulid()}`,
    organization_id,
    pod_id: where.pod_id ?? organization_id,
    inbox_id: address,
    email: address,
    ...(body.display_name != null && { display_name: body.display_name }),
    ...(body.client_id != null && { client_id: body.client_id }),
    ...(body.metadata != null && { metadata: body.metadata }),
    updated_at: created_at,
    created_at,
  };
  const scope = { organization_id, pod_id: inbox.pod_id, inbox: { uid: inbox.uid, inbox_id: address } };
  const key =
    body.credential != null
      ? issueCredential(deps, body.credential, scope, {
          created_at,
          permissions: principal.permissions,
          expires_at: principal.expires_at,
          created_by: { api_key_id: principal.api_key_id },
        })
      : undefined;
  const webhook = body.webhook != null ? newWebhook(deps, body.webhook, inbox) : undefined;
  about(deed, [inbox.uid, ...(key ? [key.issued.api_key_id] : []), ...(webhook ? [webhook.webhook_id] : [])]);
  const provision: Provision = {
    inbox,
    ...(key && { credential: key.credential }),
    ...(webhook && { webhook }),
    deed,
  };
  const answer: ProvisionedInbox = {
    ...toInbox(inbox),
    ...(key && { credential: key.issued }),
    ...(webhook && { webhook }),
  };
  return { provision, answer };
}

/** What the same `client_id` made, without the private half of its key; an inbox out of the key's scope is not shown. */
function madeBefore(
  { scope }: Call<CreateRoute>,
  { existing, credential, webhook }: Existing,
): ProvisionedInbox {
  if (covers(scope, existing)) return { ...toInbox(existing), ...defined({ credential, webhook }) };
  throw new Problem('conflict', 'this client_id is in use in another pod of the organization', {
    fix: 'Choose another client_id.',
  });
}

const newWebhook = (
  deps: ProvisionDeps,
  asked: NonNullable<CreateInbox['webhook']>,
  inbox: StoredInbox,
): Webhook => ({
  webhook_id: `wh_${deps.ulid()}`,
  url: checkWebhookUrl(asked.url, deps.allowLoopbackWebhooks),
  event_types: asked.event_types,
  inbox_ids: [inbox.inbox_id],
  secret: `whsec_${deps.randomSecret()}`,
  enabled: true,
  updated_at: inbox.created_at,
  created_at: inbox.created_at,
});

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
  const taken = await deps.inboxes.holders(candidates.map((name) => `${name}@${deps.mailDomain}`));
  return candidates.filter((name) => !taken.has(`${name}@${deps.mailDomain}`)).slice(0, 3);
}
