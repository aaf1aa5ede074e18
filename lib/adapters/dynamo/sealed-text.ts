import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { rowVersion, type Database } from './client.ts';
import { secretKey } from './keys.ts';
import { getRow } from './rows.ts';

const nonceBytes = 12;
const tagBytes = 16;

/** Values as texts that only the table's own functions can read or make. */
export interface SealedText {
  seal(value: unknown, purpose: string): Promise<string>;
  /** `undefined`: forged, damaged, or sealed with another secret or for another purpose. */
  open(text: string, purpose: string): Promise<unknown>;
}

/**
 * AES-256-GCM: a caller can neither read what is inside nor change it, and the purpose is authenticated with it. The
 * key is made once and kept in a row of its own name, where it costs nothing; it is read once for each start of a
 * function.
 */
export function sealedText(database: Database, name: string): SealedText {
  let key: Promise<Buffer> | undefined;
  const secret = () =>
    (key ??= readKey(database, name).catch((error: unknown) => {
      key = undefined;
      throw error;
    }));
  return {
    async seal(value, purpose) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', await secret(), nonce).setAAD(Buffer.from(purpose));
      const sealed = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()]);
      return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url');
    },
    async open(text, purpose) {
      const bytes = Buffer.from(text, 'base64url');
      // Several texts decode to the same bytes; only the one that was given is good.
      if (bytes.length <= nonceBytes + tagBytes || bytes.toString('base64url') !== text) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', await secret(), bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(-tagBytes));
      try {
        const opened = Buffer.concat([
          decipher.update(bytes.subarray(nonceBytes, -tagBytes)),
          decipher.final(),
        ]);
        return JSON.parse(opened.toString()) as unknown;
      } catch {
        return undefined; // Not sealed with this key for this purpose.
      }
    },
  };
}

async function readKey(database: Database, name: string): Promise<Buffer> {
  const row = secretKey(name);
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
    return readKey(database, name); // Another instance was first.
  }
}
