import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Once } from '../../contract/call.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { nonceKey } from './keys.ts';
import { table } from './table.ts';
import type { Write } from './transaction.ts';

const absent = 'attribute_not_exists(pk)';
const nonceRow = ({ key, expires }: Once): Row => ({ ...nonceKey(key), v: rowVersion, [table.ttl]: expires });

/** The claim of a nonce, as one more write of the transaction it protects. */
export const nonceWrite = <Word extends string>(once: Once, otherwise: Word): Write<Word> => ({
  put: nonceRow(once),
  condition: absent,
  otherwise,
});

/** The claim of a nonce by itself, for writes that are no single transaction. */
export const nonceStore = ({ client, tableName }: Database) => ({
  async claim(once: Once): Promise<'claimed' | 'used'> {
    try {
      await client.send(
        new PutCommand({ TableName: tableName, Item: nonceRow(once), ConditionExpression: absent }),
      );
      once.spent = true;
      return 'claimed';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'used';
      throw error;
    }
  },
});
