import { decodeTime } from 'ulid';
import type { EventStore, StoredEvent } from '../../core/list-events.ts';
import type { Now } from '../../core/ports.ts';
import type { Database, Row } from './client.ts';
import { keptSeconds, toEvent, ulidAt } from './event-rows.ts';
import { marginBehind } from './log-head.ts';
import { eventKey, logHeadKey, type LogOwner } from './keys.ts';
import { alive, getRow, queryRange } from './rows.ts';

/** Behind every ULID, and before the counter of the log. */
const highest = '8';
const scanned = 200;

const timeOf = (row: Row): number => decodeTime(String(row['sk']).toUpperCase());
const positionOf = (row: Row): number => (row['position'] as number | undefined) ?? Infinity;

/** The log of an inbox, for its readers. */
export const eventStore = (database: Database, now: Now): EventStore => {
  const living = (rows: Row[]): StoredEvent[] => rows.filter((row) => alive(row, now())).map(toEvent);
  /** What is older is past its time, whether or not DynamoDB has taken it away yet. */
  const oldest = (): number => now() - keptSeconds * 1000;
  const query = (owner: LogOwner, start: string, limit: number) =>
    queryRange(database, {
      partition: eventKey(owner, '').pk,
      from: start,
      to: highest,
      ascending: true,
      limit,
    });

  /** A time before everything behind a position, found by halving the time the log spans. */
  async function timeBefore(owner: LogOwner, position: number, margin: number): Promise<number> {
    let [low, high] = [oldest(), now() + margin];
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2);
      const [row] = (await query(owner, ulidAt(middle), 1)).rows;
      if (row === undefined || positionOf(row) > position) high = middle;
      else low = Math.max(timeOf(row), low + 1000);
    }
    return Math.max(low - margin, oldest());
  }

  return {
    async list(owner, { start, ascending, limit }) {
      const [from, to] = [ulidAt(oldest()), highest];
      const [low, high] = ascending ? [start ?? from, to] : [from, start ?? to];
      const { rows, last } = await queryRange(database, {
        partition: eventKey(owner, '').pk,
        // Where a page ended may be past its time by now.
        ...{ from: low < high ? low : high, to: high, ascending, limit },
      });
      return { events: living(rows), more: last !== undefined };
    },

    async after(owner, position, limit) {
      const head = await getRow(database, logHeadKey(owner));
      if (position >= ((head?.['position'] as number | undefined) ?? 0)) return { events: [], more: false };
      const margin = marginBehind(head, position);
      const found: Row[] = [];
      let start = ulidAt(await timeBefore(owner, position, margin));
      for (;;) {
        const { rows, last } = await query(owner, start, scanned);
        found.push(...rows.filter((row) => positionOf(row) > position && positionOf(row) < Infinity));
        if (last === undefined) break;
        if (found.length > limit && timeOf(rows.at(-1)!) > timeOf(found[limit]!) + margin) break;
        start = `${String(last['sk'])}0`;
      }
      found.sort((a, b) => positionOf(a) - positionOf(b));
      return { events: living(found.slice(0, limit)), more: found.length > limit };
    },
  };
};
