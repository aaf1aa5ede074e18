import { createHash, randomBytes } from 'node:crypto';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { personalFields, type PersonalField } from '../../contract/ledger.ts';
import type { PersonStore } from '../../core/ledger-ports.ts';
import type { Now } from '../../core/ports.ts';
import { together } from '../../core/together.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { personKey, personPk } from './keys.ts';
import { getRows, queryRange } from './rows.ts';

/** How long a process goes on with a commitment it made (milliseconds), and how many it remembers. */
const keptFor = 3600_000;
const keptAtMost = 1000;

/** Facts about a person, and the commitments a line carries in their place. */
export type Commit = (
  organizationId: string,
  facts: Partial<Record<PersonalField, string>>,
) => Promise<Partial<Record<PersonalField, string>>>;

/**
 * Commits to personal facts: base64url SHA-256 of 16 random bytes, the field, a colon and the value. Value and salt
 * are in the table when this answers, in a row that erasure takes. The same fact has the same commitment in one
 * process for an hour, so that a call usually writes nothing; after an erasure it opens nothing any more.
 */
export function commitments(database: Database, { now }: { now: Now }): Commit {
  const kept = new Map<string, { commitment: string; until: number }>();
  const commit = async (organizationId: string, field: string, value: string): Promise<string> => {
    const name = `${organizationId}\n${field}\n${value}`;
    const known = kept.get(name);
    if (known !== undefined && known.until > now()) return known.commitment;
    const salt = randomBytes(16);
    const commitment = createHash('sha256').update(salt).update(`${field}:${value}`).digest('base64url');
    const row = { ...personKey(organizationId, commitment), v: rowVersion };
    await database.client.send(
      new PutCommand({
        TableName: database.tableName,
        Item: { ...row, field, value, salt: salt.toString('base64url') },
      }),
    );
    kept.delete(name);
    kept.set(name, { commitment, until: now() + keptFor });
    // A map keeps its order: the first is the oldest.
    if (kept.size > keptAtMost) kept.delete(kept.keys().next().value!);
    return commitment;
  };
  return async (organizationId, facts) => {
    const given = personalFields.flatMap((field) => {
      const value = facts[field];
      return value === undefined ? [] : [{ field, value }];
    });
    const made = await together(
      given.map(async ({ field, value }) => [field, await commit(organizationId, field, value)] as const),
    );
    return Object.fromEntries(made);
  };
}

/** The personal facts that lines commit to, one partition an organization. */
export const personStore = (database: Database): PersonStore => ({
  async reveal(organizationId, wanted) {
    const rows = await getRows(
      database,
      wanted.map((commitment) => personKey(organizationId, commitment)),
    );
    return new Map(
      rows.flatMap((row) =>
        row === undefined ? [] : [[row['sk'] as string, { field: row['field'], value: row['value'] }]],
      ),
    );
  },

  async erase(organizationId, what) {
    let erased = 0;
    let after: Row | undefined;
    do {
      const { rows, last } = await queryRange(database, {
        partition: personPk(organizationId),
        limit: 500,
        ...(after && { after }),
      });
      for (const { pk, sk, value } of rows) {
        if (what !== 'all' && value !== what.value) continue;
        await database.client.send(new DeleteCommand({ TableName: database.tableName, Key: { pk, sk } }));
        erased++;
      }
      after = last;
    } while (after !== undefined);
    return erased;
  },
});
