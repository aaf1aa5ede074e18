import type { ExpiryStore } from '../../core/expire-inbox.ts';
import type { Database } from './client.ts';
import { eventRow } from './event-rows.ts';
import { inboxKey } from './keys.ts';
import { transact } from './transaction.ts';

/** Ends of inboxes in the table. The inbox remembers which of its ends was announced. */
export const expiryStore = (database: Database): ExpiryStore => ({
  async announce(inbox, event) {
    await transact<'not_so'>(database, [
      {
        update: inboxKey(inbox),
        set: 'SET expiry_announced = :end',
        condition:
          'expires_at = :end AND (attribute_not_exists(expiry_announced) OR expiry_announced <> :end)',
        values: { ':end': inbox.expires_at },
        otherwise: 'not_so',
      },
      { put: eventRow(inbox, event, Math.floor(Date.parse(event.timestamp) / 1000)) },
    ]);
  },
});
