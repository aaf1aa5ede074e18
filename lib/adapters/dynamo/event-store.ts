import { decodeTime, encodeTime } from 'ulid';
import type { EventStore, StoredEvent } from '../../core/list-events.ts';
import type { Now } from '../../core/ports.ts';
import type { Database, Row } from './client.ts';
import { keptSeconds, toEvent } from './event-rows.ts';
import { eventKey, logHeadKey, type LogOwner } from './keys.ts';
import { alive, getRow, queryRange } from './rows.ts';

/** ULIDs of our time begin with `0`, and up to 7 of theirs: it keeps the counter of the log out. */
const [lowest, highest] = ['0', '8'];
/** How far the order of ids and that of positions can be apart: what the clocks of writers differ by, and more. */
const marginMs = 5 * 60_000;
const scanned = 200;

const ulidAt = (time: number): string =>
  `${encodeTime(Math.max(0, time), 10).toLowerCase()}${'0'.repeat(16)}`;
const timeOf = (row: Row): number => decodeTime(String(row['sk']).toUpperCase());
const positionOf = (row: Row): number => (row['position'] as number | undefined) ?? Infinity;

/** The log of an inbox, for its readers. */
export const eventStore = (database: Database, now: Now): EventStore => {
  const living = (rows: Row[]): StoredEvent[] => rows.filter((row) => alive(row, now())).map(toEvent);
  const query = (owner: LogOwner, start: string, limit: number) =>
    queryRange(database, {
      partition: eventKey(owner, '').pk,
      from: start,
      to: highest,
      ascending: true,
      limit,
    });

  /** A time before everything behind a position, found by halving the time the log spans. */
  async function timeBefore(owner: LogOwner, position: number): Promise<number> {
    let [low, high] = [now() - (keptSeconds + 24 * 3600) * 1000, now() + marginMs];
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2);
      const [row] = (await query(owner, ulidAt(middle), 1)).rows;
      if (row === undefined || positionOf(row) > position) high = middle;
      else low = Math.max(timeOf(row), low + 1000);
    }
    return low - marginMs;
  }

  return {
    async list(owner, { start, ascending, limit }) {
      const bound = start === undefined ? {} : ascending ? { from: start } : { to: start };
      const { rows, last } = await queryRange(database, {
        partition: eventKey(owner, '').pk,
        ...{ from: lowest, to: highest, ascending, limit },
        ...bound,
      });
      return { events: living(rows), more: last !== undefined };
    },

    async after(owner, position, limit) {
      const head = ((await getRow(database, logHeadKey(owner)))?.['position'] as number | undefined) ?? 0;
      if (position >= head) return { events: [], more: false };
      const found: Row[] = [];
      let start = ulidAt(await timeBefore(owner, position));
      for (;;) {
        const { rows, last } = await query(owner, start, scanned);
        found.push(...rows.filter((row) => positionOf(row) > position && positionOf(row) < Infinity));
        const enough = found.length > limit && timeOf(rows.at(-1)!) > timeOf(found[limit]!) + marginMs;
        if (last === undefined || enough) break;
        start = `${String(last['sk'])}0`;
      }
      found.sort((a, b) => positionOf(a) - positionOf(b));
      return { events: living(found.slice(0, limit)), more: found.length > limit };
    },
  };
};
