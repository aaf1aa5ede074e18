import { beforeEach, expect, it } from 'vitest';
import type { Organization } from '../../lib/contract/organization.ts';
import { measureStorage, type Measurement } from '../../lib/core/measure-storage.ts';
import type { Position } from '../../lib/core/ports.ts';
import { nextMeasurement } from '../../lib/core/standing-work.ts';
import { organizationId } from '../support/mail-samples.ts';
import { counting, MemoryDue } from '../support/memory-ports.ts';
import { storedInbox } from '../support/table-house.ts';

const start = Date.parse('2026-02-01T12:00:00.000Z');
let organization: Organization | undefined;
let stored: number[];
let due: MemoryDue;
let noted: Measurement[];
beforeEach(() => {
  organization = { organization_id: organizationId, state: 'active', storage_limit: 1000 } as Organization;
  [stored, due, noted] = [[], new MemoryDue(), []];
});
const measure = async () => {
  const list = async (_: object, { limit, after }: { limit: number; after?: Position }) => {
    const from = Number(after?.['at'] ?? 0);
    return {
      items: stored.slice(from, from + limit).map((stored_bytes) => storedInbox('ada', { stored_bytes })),
      ...(from + limit < stored.length && { next: { at: from + limit } }),
    };
  };
  await measureStorage({
    ...{ inboxes: { list }, organizations: { get: async () => organization }, due },
    measurements: {
      note: async (one) => {
        noted.push(one);
        const { storage_state: _, ...rest } = organization!;
        organization = { ...rest, ...(one.storage_state && { storage_state: one.storage_state }) };
      },
    },
    ...{ now: () => start, ulid: counting() },
  })['measure-storage']({ kind: 'measure-storage', organization_id: organizationId });
};

it('what an organization stores is the sum of all its inboxes, and is measured again', async () => {
  stored = Array.from({ length: 250 }, () => 2);
  await measure();
  expect(noted).toEqual([
    {
      ...{ organization_id: organizationId, storage_limit: 1000, stored_bytes: 500 },
      ...{ before: undefined, storage_state: undefined },
    },
  ]);
  const { at } = nextMeasurement(organizationId, start);
  expect([...due.filed.keys()].map((id) => id.slice(0, 16))).toEqual([
    new Date(at).toISOString().slice(0, 16),
  ]);
});

it('becoming little is told once until it was well below again', async () => {
  const told: (string | undefined)[] = [];
  for (const bytes of [799, 800, 900, 1000, 1200, 999, 750, 810, 699, 800]) {
    stored = [bytes];
    await measure();
    const { storage_state, event } = noted.at(-1)!;
    told.push(`${bytes} ${storage_state ?? 'ample'}${event ? ' told' : ''}`);
  }
  expect(told).toEqual([
    ...['799 ample', '800 tight told', '900 tight', '1000 full', '1200 full', '999 tight', '750 tight'],
    ...['810 tight', '699 ample', '800 tight told'],
  ]);
  expect(noted.at(-1)!.event).toMatchObject({
    ...{ event_type: 'organization.storage_warning', organization_id: organizationId },
    ...{ stored_bytes: 800, storage_limit: 1000 },
  });
});

it('nothing is measured without a limit, or where the organization is being deleted or gone', async () => {
  const { storage_limit: _, ...unlimited } = organization!;
  for (const one of [
    unlimited as Organization,
    { ...organization!, state: 'deleting' as const },
    undefined,
  ]) {
    organization = one;
    await measure();
  }
  expect([noted, [...due.filed]]).toEqual([[], []]);
});
