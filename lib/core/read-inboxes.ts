import type { UseCase } from '../contract/call.ts';
import type { Inbox } from '../contract/inbox.ts';
import { notFound } from '../contract/problem.ts';
import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import type { InboxStore, PageTokens, StoredInbox } from './ports.ts';

/** The inbox as callers see it: without the uid its rows hang on, and what is filed for it. */
export const toInbox = ({ uid: _uid, waiting: _waiting, ...inbox }: StoredInbox): Inbox => inbox;

/** One inbox. */
export const getInbox =
  ({ inboxes }: { inboxes: InboxStore }): UseCase<'inboxes.get' | 'pods.inboxes.get'> =>
  async ({ scope }) => {
    const found = await inboxes.get(scope.inbox!);
    if (found === undefined) throw notFound('Inbox');
    return toInbox(found);
  };

/** The inboxes in scope, newest first: those of the organization, of a pod, or the one. */
export const listInboxes =
  ({
    inboxes,
    tokens,
  }: {
    inboxes: InboxStore;
    tokens: PageTokens;
  }): UseCase<'inboxes.list' | 'pods.inboxes.list'> =>
  async ({ scope, query }) => {
    const { organization_id, pod_id, inbox } = scope;
    const purpose = purposeOf('inboxes', organization_id, pod_id, inbox?.uid);
    const page = await pageRequest(tokens, query, purpose);
    const found =
      inbox !== undefined
        ? await only(inboxes, { organization_id, uid: inbox.uid })
        : await inboxes.list({ organization_id, ...(pod_id !== undefined && { pod_id }) }, page);
    return { ...(await pageAnswer(tokens, page, found, purpose)), inboxes: found.items.map(toInbox) };
  };

async function only(inboxes: InboxStore, owner: { organization_id: string; uid: string }) {
  const found = await inboxes.get(owner);
  return { items: found === undefined ? [] : [found] };
}
