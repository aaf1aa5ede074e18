import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Removal, RemovalStore } from '../../core/removal-ports.ts';
import { rowVersion, type Database } from './client.ts';
import { dueWrite } from './due-store.ts';
import { organizationEntryKey, organizationKey, removalKey } from './keys.ts';
import { removalNudge, toRemoval, watchOf } from './removal-rows.ts';
import { getRow, queryRange } from './rows.ts';
import { singleWrite } from './single-write.ts';
import { table } from './table.ts';
import { transact } from './transaction.ts';

/** The export of the ledger still finds a deleted organization for this long. */
const exportedSeconds = 30 * 24 * 3600;

/** Removals in the table, beside their organization. */
export const removalStore = (database: Database): RemovalStore => ({
  async load({ organization_id, what }) {
    const row = await getRow(database, removalKey(organization_id, what));
    return row === undefined ? undefined : toRemoval(row);
  },

  async move(removal, at) {
    await change(database, removal, 'SET moved_at = :at', { ':at': at });
  },

  async again(removal, at, not_before) {
    const nudge = removalNudge(removal, removal.count + 1, not_before);
    await change(database, removal, 'SET moved_at = :at, nudge = :nudge', { ':at': at, ':nudge': nudge });
  },

  async watch(removal, at) {
    const { put } = dueWrite(watchOf(removal), at) as { put: Record<string, unknown> };
    await database.client.send(new PutCommand({ TableName: database.tableName, Item: put }));
  },

  async hasOthers(organizationId) {
    const { pk: partition, sk: from } = removalKey(organizationId, '');
    const { rows } = await queryRange(database, { partition, from, to: `${from}\u{10ffff}`, limit: 2 });
    return rows.some(({ sk }) => sk !== removalKey(organizationId, organizationId).sk);
  },

  async finish({ organization_id, what, inbox }, at) {
    const seconds = Math.floor(Date.parse(at) / 1000);
    const entry = { ...organizationEntryKey(organization_id), v: rowVersion, deleted_at: at };
    await transact<never>(database, [
      { delete: removalKey(organization_id, what) },
      ...(inbox !== undefined
        ? []
        : [
            { delete: organizationKey(organization_id) },
            { put: { ...entry, [table.ttl]: seconds + exportedSeconds } },
          ]),
    ]);
  },
});

/** Changes a removal that nobody has changed otherwise since; where somebody has, it goes on by itself. */
async function change(
  { client, tableName }: Database,
  { organization_id, what, count }: Removal,
  UpdateExpression: string,
  values: Record<string, unknown>,
): Promise<void> {
  await singleWrite(() =>
    client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: removalKey(organization_id, what),
        UpdateExpression,
        ConditionExpression: 'nudge.#count = :count',
        ExpressionAttributeNames: { '#count': 'count' },
        ExpressionAttributeValues: { ...values, ':count': count },
      }),
    ),
  );
}
