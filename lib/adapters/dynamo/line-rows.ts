import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { type Line, line } from '../../contract/ledger.ts';
import { rowVersion, type Row } from './client.ts';
import { lineKey } from './keys.ts';
import { table } from './table.ts';

/** A line of the ledger as a row. Its id is its place, so that the same line is never there twice. */
export const lineRow = (written: Line): Row => ({
  ...lineKey(written.organization_id, written.time.slice(0, 10), written.line_id.slice(4)),
  v: rowVersion,
  [table.rowType]: table.lineRow,
  ...written,
});

/** The line in a row: exactly what was sealed, whatever else somebody may have put into the row. */
export const toLine = ({ pk: _pk, sk: _sk, v: _v, [table.rowType]: _type, ...row }: Row): Line => row as Line;

/** The line in an image of the stream; `undefined` when the row is none. */
export function lineOf(image: unknown): Line | undefined {
  if (image === undefined) return undefined;
  const row = unmarshall(image as Record<string, AttributeValue>);
  return row[table.rowType] === table.lineRow ? line.parse(toLine(row)) : undefined;
}
