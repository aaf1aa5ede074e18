import type { VersionPosition as Position } from './version-index.ts';

export type { Position };

/** An index of keys in the order of their bytes. */
export interface KeyIndex<Row> {
  /** Up to `limit` rows from a position on. */
  rows(from: Position, limit: number): Row[];
  /** The position right behind a row. */
  after(row: Row): Position;
}

export interface Page<Row> {
  contents: Row[];
  prefixes: Buffer[];
  /** Where the next page begins; `undefined` when this one is the last. */
  next: Position | undefined;
}

/** The next possible key in the order of bytes: the same with a zero byte behind it. */
export const behind = (key: Buffer): Position => ({ key: Buffer.concat([key, Buffer.of(0)]) });

/** One page of a listing. A common prefix is counted once and everything under it is skipped by one seek. */
export function listKeys<Row extends { key: Buffer }>(
  index: KeyIndex<Row>,
  asked: { prefix: string; delimiter: string; from: Position; limit: number },
): Page<Row> {
  const { from, limit } = asked;
  const [prefix, delimiter] = [Buffer.from(asked.prefix), Buffer.from(asked.delimiter)];
  const page: Page<Row> = { contents: [], prefixes: [], next: undefined };
  let position = Buffer.compare(from.key, prefix) >= 0 ? from : { key: prefix };
  while (limit > 0) {
    const rows = index.rows(position, delimiter.length > 0 ? 100 : limit + 1);
    for (const row of rows) {
      const { key } = row;
      if (!key.subarray(0, prefix.length).equals(prefix)) return page;
      if (Buffer.compare(key, position.key) < 0) continue;
      if (page.contents.length + page.prefixes.length === limit) return { ...page, next: position };
      const end = delimiter.length === 0 ? -1 : key.indexOf(delimiter, prefix.length);
      if (end < 0) {
        page.contents.push(row);
        position = index.after(row);
        continue;
      }
      const common = key.subarray(0, end + delimiter.length);
      // A page that starts inside a common prefix has told of it already.
      if (!from.key.subarray(0, common.length).equals(common)) page.prefixes.push(common);
      const after = successor(common);
      if (after === undefined) return page;
      position = { key: after };
    }
    if (rows.length === 0) return page;
  }
  return page;
}

/** The least byte string that is greater than everything beginning with `prefix`. */
export function successor(prefix: Buffer): Buffer | undefined {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  if (end === 0) return undefined;
  const next = Buffer.from(prefix.subarray(0, end));
  next[end - 1]! += 1;
  return next;
}
