import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { run } from '../../lib/cli/run.ts';
import { fakeMailroom, fakeOperator, origin } from '../sdk/fake-mailroom.ts';

export const address = 'alice@mail.example.com';
export const operatorKey = { access_key_id: 'AKIA1', secret_access_key: 'secret', region: 'us-east-1' };
const directories: string[] = [];
afterEach(() => directories.splice(0).forEach((path) => rmSync(path, { recursive: true })));

/** A working directory with the `local.json` of a mailroom that is up, and `posthorn` in it. */
export function setUp({ local = true, smtpPort = 1 } = {}) {
  const cwd = mkdtempSync(join(tmpdir(), 'posthorn-cli-'));
  directories.push(cwd);
  const mailroom = fakeMailroom();
  const operator = fakeOperator();
  const requests: { url: string; method: string; headers: Headers; body: unknown }[] = [];
  const key = { api_key_id: 'key_1', private_jwk: mailroom.key.jwk };
  const writeLocal = (home: string, api: string) => {
    mkdirSync(join(cwd, home));
    const file = {
      api,
      smtp: { host: '127.0.0.1', port: smtpPort },
      domain: 'mail.example.com',
      organization_id: 'org_1',
      key,
      operator: operatorKey,
    };
    writeFileSync(join(cwd, home, 'local.json'), JSON.stringify(file));
  };
  if (local) writeLocal('.posthorn', origin);
  const send: typeof fetch = async (input, init) => {
    const url = String(input);
    requests.push({
      url,
      method: init?.method ?? 'GET',
      headers: new Headers(init?.headers),
      body: init?.body,
    });
    if (url === 'https://bucket/raw') return new Response(new Uint8Array([0xff, 0x0a]));
    return url.includes('/v0/operator/') ? operator.fetch(input, init) : mailroom.fetch(input, init);
  };
  const posthorn = async (
    args: string[],
    {
      env = {},
      stdin = '',
      terminal = false,
    }: { env?: Record<string, string>; stdin?: string; terminal?: boolean } = {},
  ) => {
    const out: Uint8Array[] = [];
    let err = '';
    const stream = (async function* () {
      yield Buffer.from(stdin);
    })();
    const code = await run(args, {
      env,
      cwd,
      terminal,
      stdin: stream,
      out: (content) => void out.push(Buffer.from(content)),
      err: (text) => void (err += text),
      fetch: send,
    });
    const bytes = Buffer.concat(out);
    return { code, err, bytes, out: bytes.toString(), json: () => JSON.parse(bytes.toString()) };
  };
  return { cwd, posthorn, mailroom, operator, requests, writeLocal, key };
}
