import { deedRows, type Deed } from '../../contract/call.ts';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { Problem } from '../../contract/problem.ts';
import type { Database } from './client.ts';
import { idempotencyKey } from './keys.ts';
import { lineRow } from './line-rows.ts';
import { nonceWrite } from './nonces.ts';
import { transact, type Write } from './transaction.ts';

type DeedWord = 'nonce_used' | 'overtaken';

/** The rows of what a call leaves behind; none when they are written already. */
function deedWrites(deed: Deed | undefined): Write<DeedWord>[] {
  if (deed === undefined || deed.written) return [];
  const { once, line, reservation } = deed;
  return [
    ...(once === undefined ? [] : [nonceWrite(once, 'nonce_used' as const)]),
    ...(reservation === undefined
      ? []
      : [
          {
            update: idempotencyKey(reservation.organization_id, reservation.key),
            set: 'SET #state = :done',
            condition: '#owner = :owner',
            names: { '#state': 'state', '#owner': 'owner' },
            values: { ':done': 'done', ':owner': reservation.owner },
            otherwise: 'overtaken' as const,
          },
        ]),
    ...(line === undefined ? [] : [{ put: lineRow(line) }]),
  ];
}

/**
 * `transact`, with what the call leaves behind in the same transaction. Throws a `Problem` when the signature was used
 * before, or another attempt has taken over the call's Idempotency-Key; nothing is written then.
 */
export async function transactDeed<Word extends string>(
  database: Database,
  deed: Deed | undefined,
  writes: Write<Word>[],
): ReturnType<typeof transact<Word>> {
  const outcome = await transact<Word | DeedWord>(database, [...deedWrites(deed), ...writes]);
  if (outcome === 'done') {
    if (deed !== undefined) deed.written = true;
    return 'done';
  }
  const { refused, row } = outcome;
  if (refused === 'nonce_used') throw nonceUsed();
  if (refused === 'overtaken') throw overtaken();
  return { refused: refused, row };
}

export const nonceUsed = (): Problem =>
  new Problem('nonce_used', 'this signature was used before', {
    fix: 'Sign each attempt anew, with a fresh nonce.',
  });

const overtaken = (): Problem =>
  new Problem('conflict', 'another call with this Idempotency-Key has taken over', {
    fix: 'Repeat the call with the same Idempotency-Key to hear what came of it.',
    retry_after: 1,
  });

/** Writes what a call leaves behind where no change has done it. Throws what `transactDeed` throws. */
export const settleDeed =
  (database: Database) =>
  async (deed: Deed): Promise<void> => {
    const { once, reservation, line } = deed;
    if (deedRows(deed) === 0) return;
    // One row without a condition needs no transaction, which costs twice as much.
    if (once === undefined && reservation === undefined) {
      await database.client.send(new PutCommand({ TableName: database.tableName, Item: lineRow(line!) }));
      deed.written = true;
    } else await transactDeed(database, deed, []);
  };
