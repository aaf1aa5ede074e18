import { createHash } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Undeliverable } from '../../contract/undeliverable.ts';
import type { UndeliverableStore } from '../../core/mail-ports.ts';
import { receivedUlid } from '../../core/message-id.ts';
import type { Now } from '../../core/ports.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { undeliverableKey } from './keys.ts';
import { alive, queryRange } from './rows.ts';
import { table } from './table.ts';

/** How long the operator can look one up. */
const keptDays = 30;
const dayMs = 24 * 3600 * 1000;
const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

const toUndeliverable = ({ pk: _pk, sk: _sk, v: _v, [table.ttl]: _expires, ...row }: Row): Undeliverable =>
  row as Undeliverable;

/** Mail nobody has an address for, one partition a day. */
export const undeliverableStore = (database: Database, now: Now): UndeliverableStore => ({
  async note(entries) {
    for (const entry of entries) {
      // The id is made of what it tells of: a repeat puts the same row again.
      const id = receivedUlid(
        entry.received_at,
        createHash('sha256').update(`${entry.ses_message_id}\n${entry.recipient}`).digest(),
      );
      const row = {
        ...undeliverableKey(entry.received_at.slice(0, 10), id),
        v: rowVersion,
        ...entry,
        undeliverable_id: `und_${id}`,
      };
      const expires = Math.floor((Date.parse(entry.received_at) + keptDays * dayMs) / 1000);
      await database.client.send(
        new PutCommand({ TableName: database.tableName, Item: { ...row, [table.ttl]: expires } }),
      );
    }
  },

  async list({ limit, ascending, after }) {
    const days = Array.from({ length: keptDays + 1 }, (_, ago) => dayOf(now() - ago * dayMs));
    if (ascending) days.reverse();
    const items: Undeliverable[] = [];
    let start = after;
    const from = after?.['day'] as string | undefined;
    for (const day of days.filter((one) => from === undefined || (ascending ? one >= from : one <= from))) {
      const key = start?.['day'] === day ? (start['key'] as Record<string, unknown> | undefined) : undefined;
      const { rows, last } = await queryRange(database, {
        partition: undeliverableKey(day, '').pk,
        limit: limit - items.length,
        ascending,
        ...(key && { after: key }),
      });
      items.push(...rows.filter((row) => alive(row, now())).map(toUndeliverable));
      if (last !== undefined) return { items, next: { day, key: last } };
      const next = days[days.indexOf(day) + 1];
      if (items.length === limit) return { items, ...(next !== undefined && { next: { day: next } }) };
      start = undefined;
    }
    return { items };
  },
});
