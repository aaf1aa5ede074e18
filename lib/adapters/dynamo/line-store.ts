import { line } from '../../contract/ledger.ts';
import type { LineStore } from '../../core/ledger-ports.ts';
import type { Database, Row } from './client.ts';
import { lineKey, linePk } from './keys.ts';
import { toLine } from './line-rows.ts';
import { queryRange } from './rows.ts';

/** A row somebody bent until it is no line any more is as good as removed: its seal misses it. */
function readLine(row: Row) {
  const read = line.safeParse(toLine(row));
  return read.success ? [read.data] : [];
}

/** Lines of the ledger, one partition a day. */
export const lineStore = (database: Database): LineStore => ({
  async read({ organization_id, day, from, to, after, ascending, limit }) {
    const partition = linePk(organization_id, day);
    const { rows, last } = await queryRange(database, {
      partition,
      limit,
      ascending,
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(after !== undefined && { after: lineKey(organization_id, day, after) }),
    });
    return {
      lines: rows.flatMap(readLine),
      examined: rows.length,
      ...(last && { last: last['sk'] as string }),
    };
  },
});
