import { describe, expect, it } from 'vitest';
import type { Organization } from '../../lib/contract/organization.ts';
import { deleteOrganization } from '../../lib/core/delete-organization.ts';
import { resumeOrganization, suspendOrganization, updateOrganization } from '../../lib/core/organizations.ts';
import type { Removal } from '../../lib/core/removal-ports.ts';
import { sampleLine } from '../support/ledger-samples.ts';
import { newDeed, organizationId } from '../support/mail-samples.ts';

const now = () => Date.parse('2026-02-01T00:00:00.000Z');
const deleting = { organization_id: organizationId, state: 'deleting' } as Organization;

function scene(update: Organization | 'deleting' | undefined, takeDown: 'taken_down' | 'deleting' | 'gone') {
  const removals: Removal[] = [];
  const organizations = {
    get: async () => (takeDown === 'gone' ? undefined : deleting),
    update: async () => update,
    takeDown: async (removal: Removal) => (removals.push(removal), takeDown),
  };
  const deed = newDeed({ line: sampleLine(1, { resources: [] }) });
  const call = { path: { organization_id: organizationId }, body: {}, deed } as never;
  return { deps: { organizations, now } as never, removals, deed, call };
}

describe.each([
  ['updated', updateOrganization],
  ['suspended', suspendOrganization],
  ['resumed', resumeOrganization],
])('an organization that is to be %s', (_, useCase) => {
  it('is not brought back when it is being deleted, and not made when there is none', async () => {
    const late = scene('deleting', 'deleting');
    await expect(useCase(late.deps)(late.call)).rejects.toMatchObject({ code: 'resource_deleting' });
    const none = scene(undefined, 'gone');
    await expect(useCase(none.deps)(none.call)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('an organization that is to be deleted', () => {
  it('is told of as it stands, at the first call and at each after it', async () => {
    for (const outcome of ['taken_down', 'deleting'] as const) {
      const { deps, removals, deed, call } = scene(undefined, outcome);
      expect(await deleteOrganization(deps)(call)).toEqual(deleting);
      expect(removals).toMatchObject([{ organization_id: organizationId, what: organizationId }]);
      // What calls of its keys still write is written before the removal begins.
      expect(Date.parse(removals[0]!.begins_at) - now()).toBeGreaterThanOrEqual(60_000);
      expect(removals[0]).not.toHaveProperty('inbox');
      expect(deed.line!.resources).toEqual([organizationId]);
    }
  });

  it('is not found when it is gone', async () => {
    const { deps, call } = scene(undefined, 'gone');
    await expect(deleteOrganization(deps)(call)).rejects.toMatchObject({ code: 'not_found' });
  });
});
