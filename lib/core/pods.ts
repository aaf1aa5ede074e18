import { about, type UseCase } from '../contract/call.ts';
import type { Pod } from '../contract/pod.ts';
import type { Scope } from '../contract/principal.ts';
import { Problem, notFound } from '../contract/problem.ts';
import type { ApiKeyStore, PodStore } from './key-ports.ts';
import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import type { NewUlid, Now, PageTokens } from './ports.ts';
import type { PodWebhooks } from './webhook-ports.ts';

/** What a `client_id` made may be being deleted; then the id is free at once. */
const attempts = 3;

/** Makes a pod. Repeating the call with the same `client_id` answers the pod of the first. */
export const createPod =
  ({ pods, now, ulid }: { pods: PodStore; now: Now; ulid: NewUlid }): UseCase<'pods.create'> =>
  async ({ scope, body, deed }) => {
    const created_at = new Date(now()).toISOString();
    const pod_id = `pod_${ulid()}`;
    const pod: Pod = {
      organization_id: scope.organization_id,
      pod_id,
      name: body?.name ?? `pod ${pod_id}`,
      ...(body?.client_id != null && { client_id: body.client_id }),
      updated_at: created_at,
      created_at,
    };
    about(deed, [pod_id]);
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const outcome = await pods.create(pod, deed);
      if (outcome === 'created') return pod;
      if (outcome === 'no_organization') throw notFound('Organization');
      if (outcome === 'organization_suspended')
        throw new Problem('account_suspended', 'the organization is suspended');
      if (outcome === 'passing') continue;
      // The line tells of the pod that is there, not of one that was never made.
      if (deed.line !== undefined) deed.line.resources = deed.line.resources.filter((id) => id !== pod_id);
      about(deed, [outcome.existing.pod_id]);
      return outcome.existing;
    }
    throw new Problem('race_condition', 'the pod of this client_id is being changed by others');
  };

/** The pods of the organization, newest first; for a key of one pod or inbox, its own. */
export const listPods =
  ({ pods, tokens }: { pods: PodStore; tokens: PageTokens }): UseCase<'pods.list'> =>
  async ({ scope, query }) => {
    const own = podOf(scope);
    const purpose = purposeOf('pods', scope.organization_id, own);
    const page = await pageRequest(tokens, query, purpose);
    const found =
      own === undefined ? await pods.list(scope.organization_id, page) : await only(pods, scope, own);
    return { ...(await pageAnswer(tokens, page, found, purpose)), pods: found.items };
  };

/** One pod. */
export const getPod =
  ({ pods }: { pods: PodStore }): UseCase<'pods.get'> =>
  ({ scope, path }) =>
    find(pods, scope, path.pod_id);

/** Deletes a pod without inboxes, with its webhooks, and revokes the keys it had. The default pod stays. */
export const deletePod =
  ({
    pods,
    apiKeys,
    webhooks,
    now,
  }: {
    pods: PodStore;
    apiKeys: ApiKeyStore;
    webhooks: PodWebhooks;
    now: Now;
  }): UseCase<'pods.delete'> =>
  async ({ scope, path, deed }) => {
    const { organization_id } = scope;
    const pod_id = podOf(scope) ?? path.pod_id;
    if (pod_id === organization_id) throw hanging('the default pod is there as long as its organization');
    const pod = await pods.get(organization_id, pod_id);
    if (pod === undefined) throw notFound('Pod');
    about(deed, [pod_id]);
    const outcome = await pods.delete(pod, deed);
    if (outcome === 'not_empty') throw hanging('the pod has inboxes');
    await revokeKeys(apiKeys, { organization_id, pod_id }, new Date(now()).toISOString());
    // Without inboxes they hear nothing; what a crash leaves behind stands in the organization's list and can be deleted.
    for (const webhook of await webhooks.ofPod(organization_id, pod_id)) await webhooks.delete(webhook);
    if (outcome === 'gone') throw notFound('Pod');
  };

/** A key of a pod that is gone reaches nothing; what a crash leaves behind is no more than a name in a list. */
async function revokeKeys(apiKeys: ApiKeyStore, scope: Scope, at: string): Promise<void> {
  for (let after: Record<string, unknown> | undefined; ;) {
    const { items, next } = await apiKeys.list(scope, {
      limit: 100,
      ascending: true,
      ...(after && { after }),
    });
    for (const key of items) await apiKeys.revoke(key, at);
    if (next === undefined) return;
    after = next;
  }
}

const podOf = ({ pod_id, inbox }: Scope): string | undefined => inbox?.pod_id ?? pod_id;

async function find(pods: PodStore, scope: Scope, named: string): Promise<Pod> {
  const pod = await pods.get(scope.organization_id, podOf(scope) ?? named);
  if (pod === undefined) throw notFound('Pod');
  return pod;
}

async function only(pods: PodStore, { organization_id }: Scope, podId: string) {
  const found = await pods.get(organization_id, podId);
  return { items: found === undefined ? [] : [found] };
}

const hanging = (message: string): Problem => new Problem('cannot_delete', message);
