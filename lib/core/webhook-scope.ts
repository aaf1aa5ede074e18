import { hiddenLabels } from '../contract/label.ts';
import { may, type InboxRef, type Principal, type Scope } from '../contract/principal.ts';
import { Problem, notFound } from '../contract/problem.ts';
import { contains, covers } from '../contract/scope.ts';
import type { PodStore } from './key-ports.ts';
import type { InboxStore } from './ports.ts';
import { together } from './together.ts';
import type { StoredWebhook, WebhookStore } from './webhook-ports.ts';

/** What a webhook is of. */
export const scopeOfWebhook = ({ organization_id, pod_id, inbox }: Omit<Placed, 'webhook_id'>): Scope => ({
  organization_id,
  ...(pod_id !== undefined && { pod_id }),
  ...(inbox && { inbox: { ...inbox, organization_id, pod_id: pod_id ?? organization_id } }),
});
type Placed = Pick<StoredWebhook, 'webhook_id' | 'organization_id' | 'pod_id' | 'inbox'>;

/** The place of a new webhook: what the call acts in. */
export const placeOf = ({ organization_id, pod_id, inbox }: Scope): Omit<Placed, 'webhook_id'> => ({
  organization_id,
  ...(inbox !== undefined
    ? { pod_id: inbox.pod_id, inbox: { uid: inbox.uid, inbox_id: inbox.inbox_id } }
    : pod_id !== undefined && { pod_id }),
});

/** One webhook of the scope or of what lies in it. */
export async function findWebhook(
  webhooks: Pick<WebhookStore, 'get'>,
  scope: Scope,
  id: string,
): Promise<StoredWebhook> {
  const webhook = await webhooks.get(scope.organization_id, id);
  if (webhook === undefined || !contains(scope, scopeOfWebhook(webhook))) throw notFound('Webhook');
  return webhook;
}

/** Mail that is hidden is told of only where the key may read it. */
export function checkMayHear(principal: Principal, types: readonly string[]): void {
  const hidden = hiddenLabels.find(
    (label) => types.some((type) => type.endsWith(`.${label}`)) && !may(principal, `label_${label}_read`),
  );
  if (hidden === undefined) return;
  throw new Problem('missing_permission', `label_${hidden}_read is forbidden`, {
    fix: `Leave out message.received.${hidden}, or use a key that may read it.`,
  });
}

export interface TargetDeps {
  inboxes: Pick<InboxStore, 'holders' | 'get'>;
  pods: Pick<PodStore, 'get'>;
}

/** Inboxes of the scope by their addresses or uids, each once; one that is not there or not in scope is 404. */
export async function inboxesNamed(
  { inboxes }: TargetDeps,
  scope: Scope,
  names: readonly string[],
): Promise<{ uid: string; inbox_id: string }[]> {
  if (names.length === 0) return [];
  const { organization_id } = scope;
  const addresses = names.filter(isAddress).map((name) => name.toLowerCase());
  const holders = addresses.length === 0 ? new Map<string, InboxRef>() : await inboxes.holders(addresses);
  const found = await together(
    names.map(async (name) =>
      isAddress(name) ? holders.get(name.toLowerCase()) : await inboxes.get({ organization_id, uid: name }),
    ),
  );
  const refs = found.map((inbox) => {
    if (inbox === undefined || !covers(scope, inbox)) throw notFound('Inbox');
    return { uid: inbox.uid, inbox_id: inbox.inbox_id };
  });
  return [...new Map(refs.map((ref) => [ref.uid, ref])).values()];
}

/** Pods of the scope, each once; one that is not there or not in scope is 404. */
export async function podsNamed(
  { pods }: TargetDeps,
  { organization_id, pod_id, inbox }: Scope,
  ids: readonly string[],
): Promise<string[]> {
  const distinct = [...new Set(ids)];
  const found = await together(
    distinct.map(async (id) =>
      inbox === undefined && (pod_id === undefined || pod_id === id)
        ? await pods.get(organization_id, id)
        : undefined,
    ),
  );
  if (found.includes(undefined)) throw notFound('Pod');
  return distinct;
}

const isAddress = (name: string): boolean => name.includes('@');
