import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SigningJwk } from '../sdk/key.ts';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

/** `<home>/local.json`, as the local cloud writes it when it is up. */
export interface LocalFile {
  /** Origin of the API, without a trailing slash. */
  api: string;
  /** Where the AWS SDK finds the local cloud. */
  aws: string;
  smtp: { host: string; port: number };
  domain: string;
  organization_id: string;
  key: { api_key_id: string; private_jwk: SigningJwk };
  operator: OperatorKey;
}

/** AWS credentials of the local cloud's operator. */
export interface OperatorKey {
  access_key_id: string;
  secret_access_key: string;
  region: string;
}

/** Reads it; `undefined` when there is none. Throws a `UsageError` for one that cannot be read. */
export function readLocalFile(home: string, { cwd }: Pick<Shell, 'cwd'>): LocalFile | undefined {
  const path = join(resolve(cwd, home), 'local.json');
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LocalFile;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`);
  }
}
