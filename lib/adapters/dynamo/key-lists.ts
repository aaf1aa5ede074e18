import type { Scope } from '../../contract/principal.ts';
import type { Credential, Page, PageRequest, Position } from '../../core/ports.ts';
import type { Database, Row } from './client.ts';
import { listingKeys, podPlace, toCredential } from './credential-rows.ts';
import { apiKeyKey, byPodKeysPk, credentialKey, inboxApiKeyKey, type Key } from './keys.ts';
import { getRows, queryRange, type RangeQuery } from './rows.ts';
import { table } from './table.ts';

/** Rows one page of a filtered list looks at, at most; then it ends early, with a position to go on. */
const maxExamined = 500;

/** Where the keys of a scope are listed. */
function listOf({
  organization_id,
  pod_id,
  inbox,
}: Scope): Pick<RangeQuery, 'index' | 'partition' | 'from' | 'to'> {
  if (inbox === undefined && pod_id !== undefined)
    return { index: table.byPod, partition: byPodKeysPk(organization_id, pod_id) };
  const { pk, sk } =
    inbox === undefined
      ? apiKeyKey(organization_id, '')
      : inboxApiKeyKey({ organization_id, uid: inbox.uid }, '');
  return { partition: pk, from: sk, to: `${sk}\u{10ffff}` };
}

/** The position behind a credential, as a query of its list takes it. */
function positionOf({ inbox, pod_id }: Scope, credential: Credential): Position {
  const [inOrganization, besideInbox] = listingKeys(credential);
  if (inbox !== undefined) return { ...besideInbox! };
  return { ...inOrganization, ...(pod_id !== undefined && podPlace(credential)) };
}

/** One page of the keys of a scope: their pointers first, then the keys themselves. */
export async function listCredentials(
  database: Database,
  scope: Scope,
  { limit, ascending, after: start }: PageRequest,
  type?: Credential['type'],
): Promise<Page<Credential>> {
  const list = listOf(scope);
  const items: Credential[] = [];
  let after: Row | undefined = start;
  for (let examined = 0; ;) {
    const { rows, last } = await queryRange(database, { ...list, limit, ascending, ...(after && { after }) });
    const found = await credentialsOf(database, rows, list.index !== undefined);
    for (const [at, credential] of found.entries()) {
      if (type !== undefined && credential.type !== type) continue;
      items.push(credential);
      if (items.length < limit) continue;
      const more = at < found.length - 1 || last !== undefined;
      return { items, ...(more && { next: positionOf(scope, credential) }) };
    }
    examined += rows.length;
    if (last === undefined) return { items };
    if (type === undefined || examined >= maxExamined) return { items, next: last };
    after = last;
  }
}

/** The keys that listing rows point to; an index holds only the keys of those rows. */
async function credentialsOf(database: Database, rows: Row[], fromIndex: boolean): Promise<Credential[]> {
  const pointers = fromIndex ? await getRows(database, rows as Key[]) : rows;
  const keyids = pointers.flatMap((row) => (row === undefined ? [] : [String(row['keyid'])]));
  const found = await getRows(database, keyids.map(credentialKey));
  return found.flatMap((row) => (row?.['state'] === 'active' ? [toCredential(row)] : []));
}
