import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Nudge } from '../../core/nudge.ts';
import type { Row } from './client.ts';
import { table } from './table.ts';

/** The attributes that make a row one of work: written with it, and with each change that asks for another nudge. */
export const taskRow = (nudge: Nudge): Row => ({ [table.rowType]: table.taskRow, nudge });

/** The nudge that a change of the stream asks for; `undefined` when it asks for none. */
export function nudgeOf(oldImage: unknown, newImage: unknown): Nudge | undefined {
  const [before, after] = [oldImage, newImage].map((image) =>
    image === undefined ? undefined : unmarshall(image as Record<string, AttributeValue>),
  );
  if (after?.[table.rowType] !== table.taskRow) return undefined;
  const nudge = after['nudge'] as Nudge;
  return before?.['nudge']?.count === nudge.count ? undefined : nudge;
}
