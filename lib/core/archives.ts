import { about, type Deed } from '../contract/call.ts';
import type { Archive } from '../contract/archive.ts';
import { hiddenLabels } from '../contract/label.ts';
import type { PageQuery } from '../contract/page.ts';
import { may, type KeyPrincipal, type Scope } from '../contract/principal.ts';
import { notFound, Problem } from '../contract/problem.ts';
import type { ArchiveStore, ArchiveUrl, StoredArchive } from './archive-ports.ts';
import { pageAnswer, pageRequest, purposeOf } from './paging.ts';
import type { Now, PageTokens, StoredInbox } from './ports.ts';

interface Naming {
  scope: Scope;
  path: { archive_id: string };
  principal: KeyPrincipal;
  deed: Deed;
}
interface Deps {
  archives: Pick<ArchiveStore, 'get' | 'list' | 'delete'>;
}

const archiveId = /^arc_[0-9a-z]{26}$/;

/** An archive as it begins, in the transaction that takes its inbox down. */
export const newArchive = (inbox: StoredInbox, archive_id: string, at: string): StoredArchive => ({
  archive_id,
  organization_id: inbox.organization_id,
  pod_id: inbox.pod_id,
  inbox_id: inbox.inbox_id,
  uid: inbox.uid,
  ...(inbox.archive_retention_days !== undefined && { retention_days: inbox.archive_retention_days }),
  state: 'pending',
  ...{ messages: 0, quarantined: 0, missing: 0, size: 0 },
  progress: { step: 0, parts: [], offset: 0, restarts: 0 },
  created_at: at,
  updated_at: at,
});

const toArchive = ({
  uid: _uid,
  progress: _progress,
  retention_days: _days,
  ...archive
}: StoredArchive): Archive => archive;

/** The archives of the scope, newest first. */
export const listArchives =
  ({ archives, tokens }: Deps & { tokens: PageTokens }) =>
  async ({ scope, query }: { scope: Scope; query: PageQuery }) => {
    const { organization_id, pod_id, inbox } = scope;
    const purpose = purposeOf('archives', organization_id, pod_id, inbox?.uid);
    const page = await pageRequest(tokens, query, purpose);
    // An inbox that is there has no archive.
    const found = inbox === undefined ? await archives.list(scope, page) : { items: [] };
    return { ...(await pageAnswer(tokens, page, found, purpose)), archives: found.items.map(toArchive) };
  };

/** One archive; when it is ready, with a URL to download it. */
export const getArchive =
  ({ archives, urlOf }: Deps & { urlOf: ArchiveUrl }) =>
  async ({ scope, path, principal }: Naming) => {
    const archive = await find(archives, scope, path.archive_id);
    if (archive.state === 'pending') return toArchive(archive);
    checkSeesAll(principal);
    const filename = `${archive.inbox_id}-${archive.created_at.slice(0, 10)}.mbox`;
    const { download_url, expires_at } = await urlOf(archive, filename);
    return { ...toArchive(archive), download_url, download_url_expires_at: expires_at };
  };

/** Deletes an archive for good, also one that is still being written. */
export const deleteArchive =
  ({ archives, now }: Deps & { now: Now }) =>
  async ({ scope, path, deed }: Naming): Promise<void> => {
    const archive = await find(archives, scope, path.archive_id);
    const { archive_id, uid, inbox_id, organization_id, pod_id } = archive;
    about(deed, [archive_id], { uid, inbox_id, organization_id, pod_id });
    if ((await archives.delete(archive, deed, now())) === 'gone') throw notFound('Archive');
  };

async function find(archives: Deps['archives'], scope: Scope, archive_id: string): Promise<StoredArchive> {
  const { organization_id, pod_id, inbox } = scope;
  const sees = archiveId.test(archive_id) && inbox === undefined;
  const found = sees ? await archives.get({ organization_id, archive_id }) : undefined;
  if (found === undefined || (pod_id !== undefined && found.pod_id !== pod_id)) throw notFound('Archive');
  return found;
}

/** The file holds hidden mail too: who may not see that in lists does not get it this way. */
function checkSeesAll(principal: KeyPrincipal): void {
  const lacking = hiddenLabels
    .map((label) => `label_${label}_read` as const)
    .find((name) => !may(principal, name));
  if (lacking === undefined) return;
  throw new Problem(
    'missing_permission',
    `the archive holds hidden mail; this key does not have ${lacking}`,
    {
      fix: `Use a key with ${hiddenLabels.map((label) => `label_${label}_read`).join(', ')}.`,
    },
  );
}
