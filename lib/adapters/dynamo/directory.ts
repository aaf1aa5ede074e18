import type { InboxRef } from '../../contract/principal.ts';
import type { Credential } from '../../core/ports.ts';
import type { Database } from './client.ts';
import { toCredential } from './credential-rows.ts';
import { toRef } from './inbox-store.ts';
import { addressKey, credentialKey, inboxKey } from './keys.ts';
import { getRow, getRows } from './rows.ts';

/** Characters of a name that is looked up; an address has 254. */
const longest = 320;

/**
 * Who signs, and which inbox is meant, in one batch get. An inbox may be named by an address or by its uid; a
 * uid costs one read more, since the organization it lies in is known only from the credential.
 */
export const directory = (database: Database) => ({
  async lookUp({
    keyid,
    inbox: named,
  }: {
    keyid: string;
    inbox?: string;
  }): Promise<{ credential?: Credential; inbox?: InboxRef }> {
    // What is longer than any of ours is nobody's; DynamoDB would refuse it as a key.
    if (keyid.length > longest) return {};
    const inbox = named === undefined || named.length > longest ? undefined : named;
    const byAddress = inbox?.includes('@') === true;
    const [key, address] = await getRows(database, [
      credentialKey(keyid),
      ...(byAddress ? [addressKey(inbox.toLowerCase())] : []),
    ]);
    if (key === undefined) return {};
    const credential = toCredential(key);
    if (inbox === undefined) return { credential };
    const row = byAddress
      ? address
      : await getRow(database, inboxKey({ organization_id: credential.organization_id, uid: inbox }));
    return { credential, ...(row !== undefined && { inbox: toRef(row) }) };
  },
});
