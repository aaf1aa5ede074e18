import type { Deed } from '../contract/call.ts';
import type { Line } from '../contract/ledger.ts';
import type { NewUlid, Now } from './ports.ts';

/** What the mailroom itself leaves behind when it changes something that nobody called for: a line of the ledger. */
export function systemDeed(
  { now, ulid }: { now: Now; ulid: NewUlid },
  about: Pick<Line, 'action' | 'organization_id' | 'pod_id' | 'inbox_uid'>,
): Deed {
  const time = now();
  const id = ulid(time);
  return {
    written: false,
    line: {
      line_id: `lin_${id}`,
      time: new Date(time).toISOString(),
      ...about,
      principal: { kind: 'system' },
      resources: [],
      outcome: 'allowed',
      // No call had an id.
      request_id: `due_${id}`,
    },
  };
}
