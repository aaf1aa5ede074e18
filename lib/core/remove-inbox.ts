import type { RemovalJob } from './nudge.ts';
import type { InboxStore, Now, OrganizationStore } from './ports.ts';
import type { RemainingObjects, RemainingRows, Removal, RemovalStore } from './removal-ports.ts';
import { takeDown, type TakeDownDeps } from './delete-inbox.ts';
import { systemDeed } from './system-deed.ts';

export interface RemoveDeps extends TakeDownDeps {
  inboxes: Pick<InboxStore, 'get' | 'takeDown' | 'list'>;
  organizations: Pick<OrganizationStore, 'get'>;
  removals: RemovalStore;
  rows: RemainingRows;
  objects: RemainingObjects;
  /**
   * Puts the mail of the inbox into its archive, piece by piece. It is asked again at each step, and once more when
   * the mail is gone: an archive that is ready has nothing to do.
   */
  archive: (removal: Removal) => AsyncIterable<unknown>;
  now: Now;
}

/** Where a removal may stop: nowhere to go on before this time, or just a piece done. */
type Stop = { until: string } | undefined;

/** Milliseconds that are left for a piece that has begun, and for saying that others are left. */
const reserveMs = 60_000;
/** How often it is noted that a removal moves. */
const noteEveryMs = 60_000;
/** While inboxes of an organization are being removed, it is looked again so often. */
const waitMs = 2 * 60_000;
/** The index that lists inboxes is a second behind, or a few. */
const lagMs = 10_000;

/**
 * One step of a removal: as many pieces as the time allows (`remaining`, in milliseconds); for what is left it asks
 * for another step. Stopping anywhere loses nothing, and a repeat finds less to do. All is gone through once when
 * whoever called has ended, and once more when all mail has that was under way; then the removal is done.
 */
export const removeInbox =
  (deps: RemoveDeps) =>
  async (job: RemovalJob, remaining: () => number): Promise<void> => {
    const removal = await deps.removals.load(job);
    if (removal === undefined) return;
    const time = (): string => new Date(deps.now()).toISOString();
    const again = (notBefore?: string) => deps.removals.again(removal, time(), notBefore);
    if (removal.begins_at > time()) return again(removal.begins_at);
    let noted = deps.now();
    const stops = removal.inbox === undefined ? ofOrganization(deps, removal) : ofInbox(deps, removal);
    for await (const stop of stops) {
      if (stop !== undefined) return again(stop.until);
      if (remaining() < reserveMs) return again();
      if (deps.now() - noted < noteEveryMs) continue;
      noted = deps.now();
      await deps.removals.move(removal, time());
    }
    if (removal.settles_at > time()) return again(removal.settles_at);
    await deps.removals.finish(removal, time());
  };

/** The mail goes into its archive, then the objects go, then the rows, which say what objects there are. */
async function* ofInbox(deps: RemoveDeps, removal: Removal): AsyncGenerator<Stop> {
  const { organization_id, what: uid, archive_id } = removal;
  if (archive_id !== undefined) for await (const _ of deps.archive(removal)) yield undefined;
  for await (const _ of deps.objects.under(`${organization_id}/${uid}/`)) yield undefined;
  for await (const _ of deps.rows.ofInbox({ organization_id, uid })) yield undefined;
}

/** Its inboxes are taken down one by one, each a removal of its own; when they are gone, what is left goes. */
async function* ofOrganization(deps: RemoveDeps, removal: Removal): AsyncGenerator<Stop> {
  const { organization_id } = removal;
  const later = (ms: number): Stop => ({ until: new Date(deps.now() + ms).toISOString() });
  yield* takeDownAll(deps, organization_id);
  const organization = await deps.organizations.get(organization_id);
  if (organization !== undefined && organization.inbox_count > 0) yield later(lagMs);
  if (await deps.removals.hasOthers(organization_id)) yield later(waitMs);
  for await (const _ of deps.objects.under(`${organization_id}/`)) yield undefined;
  for await (const _ of deps.rows.ofOrganization(organization_id)) yield undefined;
}

async function* takeDownAll(deps: RemoveDeps, organization_id: string): AsyncGenerator<Stop> {
  for (let after: Record<string, unknown> | undefined; ;) {
    const { items, next } = await deps.inboxes.list(
      { organization_id },
      { limit: 100, ascending: true, ...(after && { after }) },
    );
    for (const { uid, pod_id } of items) {
      const deed = systemDeed(deps, { action: 'inboxes.delete', organization_id, pod_id, inbox_uid: uid });
      await takeDown(deps, { organization_id, uid }, { reason: 'organization_deleted', deed });
      yield undefined;
    }
    if (next === undefined) return;
    after = next;
  }
}
