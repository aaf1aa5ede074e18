import type { MailEvent } from '../contract/event.ts';
import type { Organization } from '../contract/organization.ts';
import type { DueStore } from './due-ports.ts';
import type { InboxStore, NewUlid, Now, OrganizationStore, Position } from './ports.ts';
import { calmBelow, tightFrom } from './room.ts';
import type { DueWorks } from './run-due.ts';
import { nextMeasurement } from './standing-work.ts';

/** What the inboxes of an organization were found to hold, and what follows from it. */
export interface Measurement {
  organization_id: string;
  /** The limit it was held against, and what was said before; nothing is noted where these are others by now. */
  storage_limit: number;
  before: Organization['storage_state'];
  stored_bytes: number;
  storage_state: Organization['storage_state'];
  /** The warning, where it has become tight. */
  event?: MailEvent;
}

/** Port: what organizations were found to hold. */
export interface MeasurementStore {
  note(measurement: Measurement): Promise<void>;
}

export interface MeasureDeps {
  inboxes: Pick<InboxStore, 'list'>;
  organizations: Pick<OrganizationStore, 'get'>;
  measurements: MeasurementStore;
  due: Pick<DueStore, 'file'>;
  now: Now;
  ulid: NewUlid;
}

const pageSize = 100;

/**
 * Adds up what the inboxes of an organization hold, every five minutes while it has a limit: one row of the
 * organization that every mail counted on would slow down all of them, so the limit is as exact as that is recent.
 */
export function measureStorage(deps: MeasureDeps): Pick<DueWorks, 'measure-storage'> {
  const { organizations, measurements, due, now, ulid } = deps;
  return {
    'measure-storage': async ({ organization_id }) => {
      const organization = await organizations.get(organization_id);
      if (organization?.storage_limit === undefined || organization.state === 'deleting') return;
      const { storage_limit, storage_state: before } = organization;
      const stored_bytes = await sum(deps, organization_id);
      const storage_state = stateOf(stored_bytes, storage_limit, before);
      const event: MailEvent = {
        event_id: `evt_${ulid()}`,
        event_type: 'organization.storage_warning',
        organization_id,
        timestamp: new Date(now()).toISOString(),
        ...{ stored_bytes, storage_limit },
      };
      await measurements.note({
        ...{ organization_id, storage_limit, before, stored_bytes, storage_state },
        ...(before === undefined && storage_state !== undefined && { event }),
      });
      await due.file(nextMeasurement(organization_id, now()));
    },
  };
}

async function sum({ inboxes }: MeasureDeps, organization_id: string): Promise<number> {
  let bytes = 0;
  for (let after: Position | undefined; ;) {
    const page = { limit: pageSize, ascending: true, ...(after && { after }) };
    const { items, next } = await inboxes.list({ organization_id }, page);
    bytes += items.reduce((count, { stored_bytes = 0 }) => count + stored_bytes, 0);
    if (next === undefined) return bytes;
    after = next;
  }
}

/** What is tight stays so until it is well below, so that a warning is not given again at each mail. */
function stateOf(
  stored: number,
  limit: number,
  before: Organization['storage_state'],
): Organization['storage_state'] {
  if (stored >= limit) return 'full';
  return stored >= limit * (before === undefined ? tightFrom : calmBelow) ? 'tight' : undefined;
}
