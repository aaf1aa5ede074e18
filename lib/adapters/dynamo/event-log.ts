import type { EventLog } from '../../core/publish-event.ts';
import { rowVersion, type Database } from './client.ts';
import { eventKey, logHeadKey } from './keys.ts';
import { getRow } from './rows.ts';
import { transact } from './transaction.ts';

/** Numbers events with a counter beside them: both move in one transaction, so that no number is skipped or given twice. */
export const eventLog = (database: Database): EventLog => ({
  async position({ uid, organization_id, event_id }) {
    const owner = { organization_id, uid };
    const event = eventKey(owner, event_id.slice(4));
    for (let attempt = 1; attempt <= 10; attempt++) {
      const known = (await getRow(database, event))?.['position'];
      if (known !== undefined) return known;
      const head = (await getRow(database, logHeadKey(owner)))?.['position'] ?? 0;
      const outcome = await transact<'numbered' | 'moved'>(database, [
        {
          update: event,
          set: 'SET #position = :next',
          condition: 'attribute_exists(pk) AND attribute_not_exists(#position)',
          names: { '#position': 'position' },
          values: { ':next': head + 1 },
          otherwise: 'numbered',
        },
        {
          put: { ...logHeadKey(owner), v: rowVersion, position: head + 1 },
          condition: 'attribute_not_exists(pk) OR #position = :head',
          names: { '#position': 'position' },
          values: { ':head': head },
          otherwise: 'moved',
        },
      ]);
      if (outcome === 'done') return head + 1;
      // Its row is gone when the inbox was taken down; then nobody counts any more.
      if (outcome.refused === 'numbered' && outcome.row === undefined) return 0;
    }
    throw new Error(`the log of ${uid} moved ten times while ${event_id} was numbered`);
  },
});
