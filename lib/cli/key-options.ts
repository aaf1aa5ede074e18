import type { Command } from 'commander';
import type { Body } from '../sdk/caller.ts';
import type { Client } from '../sdk/client.ts';
import { given, parseJson, readInputFile } from './input.ts';
import type { Room } from './room.ts';
import { UsageError } from './usage-error.ts';

type NewKey = Parameters<Client['apiKeys']['create']>[0];
type Permissions = NonNullable<Body<'apiKeys.update'>['permissions']>;

export interface NewKeyOptions {
  name?: string;
  permission?: string[];
  expires?: string;
  clientId?: string;
  bearer?: true;
  publicKey?: string;
  proof?: string;
}

/** The options of every command that makes a key. */
export const withNewKeyOptions = (command: Command): Command =>
  command
    .option('--name <name>')
    .option('--permission <names...>', 'only these permissions; all one has without it')
    .option('--expires <time>', 'when it ends, ISO 8601')
    .option('--client-id <id>', 'repeating the command with it answers the same key, without its secret')
    .option('--bearer', 'a key that is sent instead of signing; the organization has to take them')
    .option('--public-key <jwk>', 'register this public JWK (JSON or @file)')
    .option('--proof <signature>', 'its proof, base64url');

/** What to send for a new key: a pair is made, unless a public key or a bearer is asked for. */
export async function newKeyBody(options: NewKeyOptions, room: Room): Promise<NewKey> {
  const { name, permission, expires: expires_at, clientId: client_id } = options;
  const about = given({ name, permissions: permissionsOf(permission), expires_at, client_id });
  // The server says what is wrong with a JWK or a name of a permission.
  return { ...(await kindOf(options, room)), ...about };
}

export const permissionsOf = (names: string[] | undefined): Permissions | undefined =>
  names && Object.fromEntries(names.map((name) => [name, true]));

async function kindOf({ publicKey, proof, bearer }: NewKeyOptions, { shell }: Room): Promise<object> {
  if (bearer && (publicKey !== undefined || proof !== undefined))
    throw new UsageError('--bearer goes without --public-key and --proof');
  if (bearer) return { type: 'bearer' };
  if (publicKey === undefined && proof === undefined) return { type: 'generate' };
  if (publicKey === undefined || proof === undefined)
    throw new UsageError('--public-key and --proof belong together');
  const text = publicKey.startsWith('@') ? await readInputFile(publicKey.slice(1), shell) : publicKey;
  return { type: 'public_key', public_key: parseJson(text, '--public-key'), proof };
}
