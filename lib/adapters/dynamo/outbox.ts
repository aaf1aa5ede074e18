import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Outbox } from '../../core/nudge-events.ts';
import { together } from '../../core/together.ts';
import type { Database } from './client.ts';
import { ulidAt } from './event-rows.ts';
import { outboxPk, outboxShards } from './keys.ts';
import { getRow, queryRange } from './rows.ts';
import { singleWrite } from './single-write.ts';
import { table } from './table.ts';

/** Events of one shard that one run nudges; the next, a minute later, goes on. */
const perShard = 100;
const { partitionKey: outboxKey, sortKey: sinceKey } = table.byOrganization;

/** What stands in the outbox, in an index of keys. */
export const outbox = (database: Database): Outbox => ({
  async waiting(before) {
    const found = await together(
      Array.from({ length: outboxShards }, (_, shard) =>
        queryRange(database, {
          index: table.byOrganization,
          partition: outboxPk(shard),
          to: ulidAt(before),
          ascending: true,
          limit: perShard,
        }),
      ),
    );
    return found.flatMap(({ rows }) =>
      rows.map((row) => ({
        key: { pk: row['pk'] as string, sk: row['sk'] as string },
        since: row[sinceKey] as string,
      })),
    );
  },

  async nudge({ key, since }, placeOf) {
    // The index may be a second behind: the row itself says whether it still waits.
    const row = await getRow(database, key);
    if (row === undefined || row[outboxKey] === undefined || row[sinceKey] !== since) return undefined;
    const nudges = ((row['nudges'] as number | undefined) ?? 0) + 1;
    const outcome = await singleWrite(() =>
      database.client.send(
        new UpdateCommand({
          TableName: database.tableName,
          Key: key,
          UpdateExpression: 'SET nudges = :nudges, #since = :later',
          ConditionExpression: 'attribute_exists(#outbox) AND #since = :since',
          ExpressionAttributeNames: { '#outbox': outboxKey, '#since': sinceKey },
          ExpressionAttributeValues: {
            ':nudges': nudges,
            ':later': ulidAt(placeOf(nudges)),
            ':since': since,
          },
        }),
      ),
    );
    return 'answer' in outcome ? nudges : undefined;
  },
});
