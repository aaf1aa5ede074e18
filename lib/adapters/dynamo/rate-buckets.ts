import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { rowVersion, type Database } from './client.ts';
import { rateKey, type Key } from './keys.ts';
import { singleWrite } from './single-write.ts';
import { table } from './table.ts';

/** Seconds a bucket stays after its minute began: clocks of instances differ a little. */
const keptFor = 300;

/** Requests counted in the table. A repeat by the SDK whose first try was carried out counts twice: never too few. */
export const rateBuckets = (database: Database) => ({
  async take(
    { organization_id, bucket, minute }: { organization_id: string; bucket: string; minute: string },
    slice: number,
    limit: number,
  ): Promise<{ granted: number; used: number }> {
    const expires = Date.parse(`${minute}:00Z`) / 1000 + keptFor;
    let wanted = Math.min(slice, limit);
    // Ends: each refusal means that another took some of what was left.
    while (wanted > 0) {
      const counted = await add(database, rateKey(organization_id, bucket, minute), wanted, limit, expires);
      if (!('refusedAt' in counted)) return { granted: wanted, used: counted.used };
      if (counted.refusedAt >= limit) return { granted: 0, used: counted.refusedAt };
      wanted = Math.min(slice, limit - counted.refusedAt);
    }
    return { granted: 0, used: limit };
  },
});

async function add(
  { client, tableName }: Database,
  key: Key,
  wanted: number,
  limit: number,
  expires: number,
): Promise<{ used: number } | { refusedAt: number }> {
  const outcome = await singleWrite(() =>
    client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: key,
        UpdateExpression: 'ADD #used :wanted SET #expires = :expires, #v = :v',
        ConditionExpression: 'attribute_not_exists(#used) OR #used <= :room',
        ExpressionAttributeNames: { '#used': 'used', '#expires': table.ttl, '#v': 'v' },
        ExpressionAttributeValues: {
          ':wanted': wanted,
          ':room': limit - wanted,
          ':expires': expires,
          ':v': rowVersion,
        },
        ReturnValues: 'UPDATED_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    ),
  );
  return 'refused' in outcome
    ? { refusedAt: Number(outcome.refused?.['used'] ?? 0) }
    : { used: Number(outcome.answer.Attributes?.['used']) };
}
