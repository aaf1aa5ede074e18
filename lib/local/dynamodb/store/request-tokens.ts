import { createHash } from 'node:crypto';
import { AwsError } from '../../aws-error.ts';
import type { Database } from './database.ts';

/** How long a ClientRequestToken makes a transaction idempotent. */
const TOKEN_MS = 10 * 60 * 1000;

/** ClientRequestTokens of transactions that were committed. */
export class RequestTokens {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Claims the token, inside the transaction it protects; `repeat` when that is already committed. */
  claim(token: string, request: unknown, now: number): 'first' | 'repeat' {
    const fingerprint = createHash('sha256').update(JSON.stringify(request)).digest('base64');
    this.#database.statement('DELETE FROM request_tokens WHERE at <= ?').run(now - TOKEN_MS);
    const known = this.#database
      .statement('SELECT fingerprint FROM request_tokens WHERE token = ?')
      .get(token);
    if (known?.['fingerprint'] === fingerprint) return 'repeat';
    if (known !== undefined) {
      throw new AwsError(
        'IdempotentParameterMismatchException',
        'The request uses the same client token as a previous, but non-identical request. Do not reuse a client ' +
          'token with different requests, unless the requests are identical.',
      );
    }
    const insert = 'INSERT INTO request_tokens (token, fingerprint, at) VALUES (?, ?, ?)';
    this.#database.statement(insert).run(token, fingerprint, now);
    return 'first';
  }
}
