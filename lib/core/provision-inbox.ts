import type { Call, UseCase } from '../contract/call.ts';
import type { CreateInbox, ProvisionedInbox } from '../contract/inbox.ts';
import { hiddenLabels } from '../contract/label.ts';
import { covers, may } from '../contract/principal.ts';
import { Problem, notFound } from '../contract/problem.ts';
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

/** A random name that is taken is drawn again, this often at most. */
const draws = 5;

/**
 * Gives an agent an inbox: address, rows, and where asked a key and a webhook, in one transaction. Repeating
 * the call with the same `client_id` answers the inbox of the first, whatever else it says.
 */
export const provisionInbox =
  (deps: ProvisionDeps): UseCase<'inboxes.create'> =>
  async (call) => {
    const body: CreateInbox = call.body ?? {};
    checkAllowed(call, body);
    if ((body.domain ?? deps.mailDomain).toLowerCase().replace(/\.$/, '') !== deps.mailDomain)
      throw notFound('Domain');
    const dns = deps.checkDns();
    for (let draw = 1; ; draw++) {
      const username = normalizeUsername(body.username ?? deps.randomUsername());
      const { provision, answer } = prepare(deps, call, body, addressOf(username, deps.mailDomain));
      const outcome = await deps.inboxes.provision(provision);
      if (outcome === 'created') return { ...answer, dns: await dns };
      if (typeof outcome === 'object' && 'existing' in outcome)
        return { ...madeBefore(call, outcome), dns: await dns };
      const drawAgain = typeof outcome === 'object' && body.username == null && draw < draws;
      if (!drawAgain) throw await refusal(deps, outcome, username, call.principal.organization_id);
    }
  };

function checkAllowed({ principal }: Call<'inboxes.create'>, body: CreateInbox): void {
  if (principal.inbox !== undefined)
    throw new Problem('missing_permission', 'A key of one inbox cannot create inboxes', {
      fix: 'Use a key of the organization.',
    });
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

function prepare(deps: ProvisionDeps, call: Call<'inboxes.create'>, body: CreateInbox, address: string) {
  const { principal, once } = call;
  const created_at = new Date(deps.now()).toISOString();
  const { organization_id } = principal;
  const inbox: StoredInbox = {
    uid: `inb_${deps.ulid()}`,
    organization_id,
    pod_id: principal.pod_id ?? organization_id,
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
      ? issueCredential(deps, body.credential, scope, { created_at, permissions: principal.permissions })
      : undefined;
  const webhook = body.webhook != null ? newWebhook(deps, body.webhook, inbox) : undefined;
  const provision: Provision = {
    inbox,
    ...(key && { credential: key.credential }),
    ...(webhook && { webhook }),
    ...(once && { once }),
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
  { principal }: Call<'inboxes.create'>,
  { existing, credential, webhook }: Existing,
): ProvisionedInbox {
  if (covers(principal, existing)) return { ...toInbox(existing), ...defined({ credential, webhook }) };
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
  if (outcome === 'nonce_used')
    return new Problem('nonce_used', 'this signature was used before', {
      fix: 'Sign every call anew with a fresh nonce.',
    });
  if (outcome === 'no_organization') return notFound('Organization');
  if (outcome === 'organization_paused')
    return new Problem('account_suspended', 'the organization is paused', {
      fix: 'Ask the operator to resume it.',
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
