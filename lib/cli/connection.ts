import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createClient, type Client } from '../sdk/client.ts';
import { createOperator, type Operator } from '../sdk/operator.ts';
import { createSigningFetch, type Key } from '../sdk/signing-fetch.ts';
import { readLocalFile, type LocalFile } from './local-file.ts';
import type { Shell } from './shell.ts';
import { createSigV4Fetch } from './sigv4-fetch.ts';
import { UsageError } from './usage-error.ts';

/** The options every command takes. */
export interface ConnectionOptions {
  home: string;
  url?: string;
  key?: string;
}

/** Where to call and how to sign: options first, then the environment, then what the local cloud wrote. */
export function connect({ home, url, key }: ConnectionOptions, shell: Shell) {
  const local = readLocalFile(home, shell);
  const api = (url ?? shell.env['POSTHORN_URL'] ?? local?.api)?.replace(/\/+$/, '');
  const given = key ?? shell.env['POSTHORN_KEY'];

  const needApi = (): string => {
    if (api === undefined) throw nothingThere(home);
    if (!URL.canParse(api))
      throw new UsageError(`${api} is not a URL; give an origin such as https://mail.example.com`);
    return api;
  };
  const needKey = (): Key => {
    if (given !== undefined) return readKey(given, shell);
    // The key of the local cloud is nothing to show to another server.
    if (local !== undefined && api === local.api) return local.key;
    throw api === undefined
      ? nothingThere(home)
      : new UsageError(`No key for ${api}: give --key or POSTHORN_KEY, a private JWK or a file with one`);
  };
  const keyFetch = (): typeof fetch => createSigningFetch(needKey(), { fetch: shell.fetch });
  const there = (): LocalFile | undefined => (needApi() === local?.api ? local : undefined);
  const operatorFetch = (): typeof fetch => {
    const operator = there()?.operator;
    return createSigV4Fetch({
      api: needApi(),
      fetch: shell.fetch,
      env: shell.env,
      ...(operator && { operator }),
    });
  };
  return {
    api: needApi,
    keyFetch,
    operatorFetch,
    client: (): Client => createClient({ baseUrl: needApi(), key: needKey(), fetch: shell.fetch }),
    operator: (): Operator => createOperator({ baseUrl: needApi(), fetch: operatorFetch() }),
    /** The local cloud that is called, when it is one. */
    there,
    /** The same for a command that does not call the API: nothing has to be named for AWS itself. */
    nearby: (): LocalFile | undefined => (api === local?.api ? local : undefined),
    local: (): LocalFile => {
      if (local === undefined) throw nothingThere(home);
      return local;
    },
  };
}

export type Connection = ReturnType<typeof connect>;

const nothingThere = (home: string): UsageError =>
  new UsageError(
    `There is no ${home}/local.json: run npm start in another terminal, name its --home, or give --url and --key (POSTHORN_URL, POSTHORN_KEY)`,
  );

/** A private JWK, alone or as the API's answers carry it, as text or as the name of a file with it. */
function readKey(given: string, { cwd }: Shell): Key {
  const text = given.trimStart().startsWith('{') ? given : readText(resolve(cwd, given));
  const value = parse(text);
  const jwk = value['private_jwk'] ?? value;
  if (typeof jwk !== 'object' || jwk === null || !('d' in jwk))
    throw new UsageError('The key is no private JWK: it has no member d');
  return { private_jwk: jwk as Extract<Key, { private_jwk: unknown }>['private_jwk'] };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new UsageError(`The key is neither JSON nor a file that can be read: ${path}`);
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    throw new UsageError('The key is not JSON: give a private JWK');
  }
}
