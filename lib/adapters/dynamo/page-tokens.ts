import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import type { PageTokens, Position } from '../../core/ports.ts';
import { rowVersion, type Database } from './client.ts';
import { secretKey } from './keys.ts';
import { getRow } from './rows.ts';

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Page tokens are AES-256-GCM: a caller can neither read the keys inside nor change them, and the purpose is
 * authenticated with them. The key is made once and kept in a row, where it costs nothing; it is read once
 * for each start of a function.
 */
export function pageTokens(database: Database): PageTokens {
  let key: Promise<Buffer> | undefined;
  const secret = () =>
    (key ??= readKey(database).catch((error: unknown) => {
      key = undefined;
      throw error;
    }));
  return {
    async seal(position, purpose) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', await secret(), nonce).setAAD(Buffer.from(purpose));
      const sealed = Buffer.concat([cipher.update(JSON.stringify(position)), cipher.final()]);
      return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url');
    },
    async open(token, purpose) {
      const bytes = Buffer.from(token, 'base64url');
      // Several texts decode to the same bytes; only the one that was given is a token.
      if (bytes.length <= nonceBytes + tagBytes || bytes.toString('base64url') !== token) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', await secret(), bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(-tagBytes));
      try {
        const opened = Buffer.concat([
          decipher.update(bytes.subarray(nonceBytes, -tagBytes)),
          decipher.final(),
        ]);
        return JSON.parse(opened.toString()) as Position;
      } catch {
        return undefined; // Not sealed with this key for this purpose.
      }
    },
  };
}

async function readKey(database: Database): Promise<Buffer> {
  const row = secretKey('page-token');
  const found = await getRow(database, row);
  if (found !== undefined) return Buffer.from(found['secret'], 'base64');
  const secret = randomBytes(32).toString('base64');
  try {
    await database.client.send(
      new PutCommand({
        TableName: database.tableName,
        Item: { ...row, v: rowVersion, secret },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
    return Buffer.from(secret, 'base64');
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return readKey(database); // Another instance was first.
  }
}
