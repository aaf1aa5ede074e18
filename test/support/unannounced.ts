import { DynamoDBClient, ListTablesCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { outboxPk, outboxShards } from '../../lib/adapters/dynamo/keys.ts';
import { table } from '../../lib/adapters/dynamo/table.ts';
import type { Promised } from './crash-rounds.ts';
import type { Posthorn } from './posthorn-process.ts';

/** How many events stand in the outbox: one leaves it when the bus has taken it, and not before. */
export async function waitingEvents(dynamodb: DynamoDBClient, TableName: string): Promise<number> {
  const counts = await Promise.all(
    Array.from({ length: outboxShards }, (_, shard) =>
      dynamodb.send(
        new QueryCommand({
          TableName,
          IndexName: table.byOrganization.name,
          KeyConditionExpression: '#pk = :pk',
          ExpressionAttributeNames: { '#pk': table.byOrganization.partitionKey },
          ExpressionAttributeValues: { ':pk': { S: outboxPk(shard) } },
        }),
      ),
    ),
  );
  return counts.reduce((sum, { Count = 0 }) => sum + Count, 0);
}

/** The same of a process. */
export async function waitingIn({ local: { aws: endpoint, operator } }: Posthorn): Promise<number> {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, region } = operator;
  const credentials = { accessKeyId, secretAccessKey };
  const dynamodb = new DynamoDBClient({ endpoint, region, credentials, maxAttempts: 10 });
  const { TableNames: [tableName] = [] } = await dynamodb.send(new ListTablesCommand({}));
  const waiting = await waitingEvents(dynamodb, tableName!);
  dynamodb.destroy();
  return waiting;
}

/** Acknowledged mails of which the logs of their inboxes do not tell exactly once, and logs with a gap or a twin. */
export async function untold({ client }: Posthorn, promised: Promised): Promise<string[]> {
  const wrong: string[] = [];
  const receiving = [...promised.provisioned].filter((address) => /^[abc]-/.test(address));
  for (const inbox of receiving) {
    const positions: (number | undefined)[] = [];
    const subjects: (string | undefined)[] = [];
    for await (const event of client.inboxes.events.all(inbox, { after_position: 0, limit: 500 })) {
      positions.push(event.position);
      if (event.event_type.startsWith('message.received')) subjects.push(event.subject);
    }
    if (positions.some((position, n) => position !== n + 1)) wrong.push(`${inbox}: ${positions.join()}`);
    for (const [subject, to] of promised.accepted) {
      const times = subjects.filter((one) => one === subject).length;
      if (to.includes(inbox) && times !== 1) wrong.push(`${inbox} ${subject}: ${times} times`);
    }
  }
  return wrong;
}
