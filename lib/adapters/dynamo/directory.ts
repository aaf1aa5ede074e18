import type { InboxRef } from '../../contract/principal.ts';
import type { Credential } from '../../core/ports.ts';
import type { Database } from './client.ts';
import { toCredential } from './credential-rows.ts';
import { toRef } from './inbox-store.ts';
import { addressKey, credentialKey, inboxKey } from './keys.ts';
import { getRow, getRows } from './rows.ts';

/**
 * Who signs, and which inbox is meant, in one batch get. An inbox may be named by an address or by its uid; a
 * uid costs one read more, since the organization it lies in is known only from the credential.
 */
export const directory = (database: Database) => ({
  async lookUp({ keyid, inbox }: { keyid: string; inbox?: string }): Promise<{ credential?: Credential; inbox?: InboxRef }> {
    const byAddress = inbox?.includes('@') === true;
    const [key, address] = await getRows(database, [credentialKey(keyid), ...(byAddress ? [addressKey(inbox.toLowerCase())] : [])]);
    if (key === undefined) return {};
    const credential = toCredential(key);
    if (inbox === undefined) return { credential };
    const row = byAddress ? address : await getRow(database, inboxKey({ organization_id: credential.organization_id, uid: inbox }));
    return { credential, ...(row !== undefined && { inbox: toRef(row) }) };
  },
});
