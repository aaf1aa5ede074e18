import type { Measurement, MeasurementStore } from '../../core/measure-storage.ts';
import type { Database } from './client.ts';
import { eventRow } from './event-rows.ts';
import { organizationKey } from './keys.ts';
import { transact, type Write } from './transaction.ts';

/** What organizations hold, in their rows. */
export const measurementStore = (database: Database): MeasurementStore => ({
  async note(measurement) {
    const { organization_id, event } = measurement;
    await transact(database, [
      noteWrite(measurement),
      ...(event === undefined
        ? []
        : [{ put: eventRow({ organization_id }, event, Math.floor(Date.parse(event.timestamp) / 1000)) }]),
    ]);
  },
});

function noteWrite(measurement: Measurement): Write<'not_so'> {
  const { organization_id, storage_limit, before, stored_bytes, storage_state } = measurement;
  const same = before === undefined ? 'attribute_not_exists(storage_state)' : 'storage_state = :before';
  return {
    update: organizationKey(organization_id),
    set:
      storage_state === undefined
        ? 'SET stored_bytes = :stored REMOVE storage_state'
        : 'SET stored_bytes = :stored, storage_state = :state',
    condition: `storage_limit = :limit AND ${same}`,
    values: {
      ':limit': storage_limit,
      ':stored': stored_bytes,
      ...(before !== undefined && { ':before': before }),
      ...(storage_state !== undefined && { ':state': storage_state }),
    },
    otherwise: 'not_so',
  };
}
