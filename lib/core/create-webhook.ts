import { about, type Deed } from '../contract/call.ts';
import { may, type KeyPrincipal, type Scope } from '../contract/principal.ts';
import { Problem, invalidField, notFound } from '../contract/problem.ts';
import { contains } from '../contract/scope.ts';
import { maxTargets, maxWebhooks, type CreateWebhook, type Webhook } from '../contract/webhook.ts';
import type { NewUlid, Now } from './ports.ts';
import { toWebhook } from './show-webhook.ts';
import { together } from './together.ts';
import type { StoredWebhook, WebhookStore } from './webhook-ports.ts';
import {
  checkMayHear,
  inboxesNamed,
  placeOf,
  podsNamed,
  scopeOfWebhook,
  type TargetDeps,
} from './webhook-scope.ts';
import { checkWebhookUrl } from './webhook-target.ts';

export interface CreateWebhookDeps extends TargetDeps {
  webhooks: Pick<WebhookStore, 'create'>;
  now: Now;
  ulid: NewUlid;
  /** 32 random bytes, base64. */
  randomSecret: () => string;
  allowLoopbackWebhooks: boolean;
}

/** A `client_id` whose webhook is being deleted is free at once; this often it is tried. */
const attempts = 3;

type NewWebhook = Omit<StoredWebhook, 'webhook_id' | 'secret' | 'enabled' | 'updated_at'>;

/** A webhook as it begins: enabled, with an id and a secret of its own. */
export const newWebhook = (
  { ulid, randomSecret }: Pick<CreateWebhookDeps, 'ulid' | 'randomSecret'>,
  asked: NewWebhook,
): StoredWebhook => ({
  webhook_id: `wh_${ulid()}`,
  ...asked,
  secret: newSecret(randomSecret),
  enabled: true,
  updated_at: asked.created_at,
});

/** As Standard Webhooks writes it. */
export const newSecret = (randomSecret: () => string): string => `whsec_${randomSecret()}`;

/**
 * A webhook of the scope. Repeating the call with the same `client_id` answers the webhook of the first, whatever else
 * it says, to a key that may read webhooks.
 */
export const createWebhook =
  (deps: CreateWebhookDeps) =>
  async ({
    principal,
    scope,
    body,
    deed,
  }: {
    principal: KeyPrincipal;
    scope: Scope;
    body: CreateWebhook;
    deed: Deed;
  }): Promise<Webhook> => {
    checkMayHear(principal, body.event_types);
    const { event_types, headers, client_id } = body;
    const webhook = newWebhook(deps, {
      ...placeOf(scope),
      url: checkWebhookUrl(body.url, deps.allowLoopbackWebhooks, ['url']),
      event_types,
      ...(await narrowed(deps, scope, body)),
      ...(headers != null && { headers }),
      ...(client_id != null && { client_id }),
      created_at: new Date(deps.now()).toISOString(),
    });
    about(deed, [webhook.webhook_id], scope.inbox);
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const outcome = await deps.webhooks.create(webhook, deed);
      if (outcome === 'created') return toWebhook(webhook);
      if (outcome === 'passing') continue;
      if (typeof outcome !== 'object') throw refusal(outcome, scope);
      // The answer has the secret in it.
      if (!may(principal, 'webhook_read'))
        throw new Problem(
          'missing_permission',
          'this client_id has its webhook, and webhook_read is forbidden',
          {
            fix: 'Use a key that may read webhooks, or another client_id.',
          },
        );
      return madeBefore(webhook, outcome.existing, scope, deed);
    }
    throw new Problem('race_condition', 'the webhook of this client_id is being changed by others');
  };

/** The inboxes and pods that are named, as far as they say less than the scope does. */
async function narrowed(deps: TargetDeps, scope: Scope, { inbox_ids, pod_ids }: CreateWebhook) {
  const [inboxes, pods] = await together([
    inboxesNamed(deps, scope, inbox_ids ?? []),
    podsNamed(deps, scope, pod_ids ?? []),
  ]);
  checkCount(inboxes, pods);
  // A webhook of one inbox, or of the pod that is named, hears all of it.
  if (scope.inbox !== undefined || (scope.pod_id !== undefined && pods.length > 0)) return {};
  return { ...(inboxes.length > 0 && { inboxes }), ...(pods.length > 0 && { pod_ids: pods }) };
}

/** Throws where a webhook would name too much. */
export function checkCount(inboxes: readonly unknown[], pods: readonly unknown[]): void {
  if (inboxes.length + pods.length <= maxTargets) return;
  throw invalidField(
    [],
    `a webhook names at most ${maxTargets} inboxes and pods`,
    'Make another webhook for the rest, or one of the whole pod or organization.',
  );
}

function madeBefore(made: StoredWebhook, existing: StoredWebhook, scope: Scope, deed: Deed): Webhook {
  const place = scopeOfWebhook(existing);
  if (!contains(scope, place) || !contains(place, scope))
    throw new Problem('conflict', 'this client_id is in use by a webhook of another scope', {
      fix: 'Choose another client_id.',
    });
  // The line tells of the webhook that is there, not of one that was never made.
  if (deed.line !== undefined)
    deed.line.resources = deed.line.resources.filter((id) => id !== made.webhook_id);
  about(deed, [existing.webhook_id]);
  return toWebhook(existing);
}

type Refused = Exclude<Awaited<ReturnType<WebhookStore['create']>>, 'created' | 'passing' | object>;

function refusal(outcome: Refused, { inbox }: Scope): Problem {
  if (outcome === 'no_organization') return notFound('Organization');
  if (outcome === 'no_place') return notFound('Pod or inbox');
  if (outcome === 'organization_suspended')
    return new Problem('account_suspended', 'the organization is suspended');
  const [whose, limit] = inbox
    ? ['inbox', maxWebhooks.inbox]
    : ['organization with its pods', maxWebhooks.organization];
  return new Problem('limit_exceeded', `the ${whose} has its ${limit} webhooks`, {
    resource: 'webhooks',
    limit,
    fix: 'Delete one first, or let one webhook hear more.',
  });
}
