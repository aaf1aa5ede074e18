import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Reservation } from '../../contract/call.ts';
import type { Now } from '../../core/ports.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { idempotencyKey } from './keys.ts';
import { singleWrite } from './single-write.ts';
import { table } from './table.ts';

interface Answer {
  statusCode: number;
  body: string;
}
type Outcome = 'reserved' | 'in_flight' | 'other_request' | 'answer_lost' | { answer: Answer };

/** Milliseconds a call holds its key: longer than the function that carries it out may run. */
const lease = 60_000;
/** Seconds a key is remembered. */
const kept = 24 * 60 * 60;
/** Bytes of an answer; a row holds 400 KB. A larger one is not kept, and its repeat is told that it is lost. */
const largestAnswer = 300 * 1024;

const names = { '#state': 'state', '#owner': 'owner' };
const keyOf = ({ organization_id, key }: Reservation) => idempotencyKey(organization_id, key);

/** Idempotency-Keys as rows: whoever holds one, and what came of it. A change flips its row to `done` with itself. */
export const reservations = (database: Database, now: Now) => ({
  async reserve(reservation: Reservation, fingerprint: string): Promise<Outcome> {
    const started = now();
    const outcome = await singleWrite(() =>
      database.client.send(hold(database, reservation, fingerprint, started)),
    );
    if ('answer' in outcome) return 'reserved';
    const { refused } = outcome;
    if (refused === undefined) throw new Error('a reservation was refused without its row');
    return whatBecame(refused, reservation, fingerprint, started);
  },

  async keep(reservation: Reservation, { statusCode, body }: Answer): Promise<void> {
    const fits = Buffer.byteLength(body) <= largestAnswer;
    await singleWrite(() =>
      database.client.send(
        new UpdateCommand({
          TableName: database.tableName,
          Key: keyOf(reservation),
          UpdateExpression: `SET #state = :done, #expires = :expires, lease_until = :over${fits ? ', answer = :answer' : ''}`,
          ConditionExpression: '#owner = :owner',
          ExpressionAttributeNames: { ...names, '#expires': table.ttl },
          ExpressionAttributeValues: {
            ':done': 'done',
            ':owner': reservation.owner,
            ':expires': Math.ceil(now() / 1000) + kept,
            ':over': 0,
            ...(fits && { ':answer': { statusCode, body } }),
          },
        }),
      ),
    );
  },

  async release(reservation: Reservation): Promise<void> {
    await singleWrite(() =>
      database.client.send(
        new DeleteCommand({
          TableName: database.tableName,
          Key: keyOf(reservation),
          ConditionExpression: '#owner = :owner AND #state = :running',
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: { ':owner': reservation.owner, ':running': 'running' },
        }),
      ),
    );
  },
});

/** Takes the key where it is free, where its day is over, or where whoever held it died before anything was done. */
const hold = ({ tableName }: Database, reservation: Reservation, fingerprint: string, started: number) =>
  new PutCommand({
    TableName: tableName,
    Item: {
      ...keyOf(reservation),
      v: rowVersion,
      state: 'running',
      owner: reservation.owner,
      fingerprint,
      lease_until: started + lease,
      [table.ttl]: Math.ceil(started / 1000) + kept,
    },
    ConditionExpression:
      'attribute_not_exists(pk) OR #expires <= :seconds OR (#state = :running AND lease_until <= :started)',
    ExpressionAttributeNames: { '#state': 'state', '#expires': table.ttl },
    ExpressionAttributeValues: {
      ':running': 'running',
      ':started': started,
      ':seconds': Math.floor(started / 1000),
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });

function whatBecame(row: Row, { owner }: Reservation, fingerprint: string, started: number): Outcome {
  // The SDK repeated a put whose first try was carried out.
  if (row['owner'] === owner && row['state'] === 'running') return 'reserved';
  if (row['fingerprint'] !== fingerprint) return 'other_request';
  if (row['answer'] !== undefined) return { answer: row['answer'] as Answer };
  if (row['state'] === 'done' && row['lease_until'] <= started) return 'answer_lost';
  return 'in_flight';
}
