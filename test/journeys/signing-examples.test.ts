import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateJwk } from '../../lib/contract/credential.ts';
import { domain, sharedMailroom } from '../support/mailroom.ts';

// The programs of docs/signing.md as they are printed. They repeat nothing, so the weather is calm.
const mailroom = sharedMailroom({ odds: 'calm', own: true });

const says = (command: string, ...args: string[]): string => {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout : '';
};
const examples = [
  {
    file: 'sign.sh',
    with: 'bash',
    here:
      /^OpenSSL [3-9]/.test(says('openssl', 'version')) &&
      says('curl', '-V') !== '' &&
      says('bash', '--version') !== '',
    peers: 'bash, openssl 3 and curl',
  },
  {
    file: 'sign.py',
    with: 'python3',
    here: says('python3', '-c', 'import cryptography; print(1)') !== '',
    peers: 'python3 with cryptography',
  },
  { file: 'sign.ts', with: process.execPath, here: true, peers: 'node' },
];

let folder: string;
/** The key of a new inbox as the API handed it out, and its JWK alone. */
const keyFiles = { answer: '', jwk: '' };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-signing-'));
  const text = await readFile('docs/signing.md', 'utf8');
  for (const [, title, program] of text.matchAll(/^```[a-z]+ title="([a-z.]+)"\n(.*?)^```$/gms))
    await writeFile(join(folder, title!), program!);
  const issued = await mailroom.operator.apiKeys.create(mailroom.organization_id, { type: 'generate' });
  keyFiles.answer = join(folder, 'answer.json');
  keyFiles.jwk = join(folder, 'jwk.json');
  await writeFile(keyFiles.answer, JSON.stringify(issued, undefined, 2));
  const { kty, crv, x, d } = (issued as { private_jwk: PrivateJwk }).private_jwk;
  await writeFile(keyFiles.jwk, JSON.stringify({ d, x, crv, kty }));
});
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

const run = (program: string, file: string, key: string, ...call: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const args = [join(folder, file), key, mailroom.cloud.api, ...call];
    execFile(program, args, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });

for (const { file, with: program, here, peers } of examples) {
  const call = async (key: string, ...args: string[]): Promise<any> => {
    const { code, stdout, stderr } = await run(program, file, key, ...args);
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout);
  };

  describe.skipIf(!here)(here ? file : `${file}: 4 skipped: no ${peers}`, () => {
    it('signs a GET, with either form of the key', async () => {
      for (const key of [keyFiles.answer, keyFiles.jwk])
        expect(await call(key, 'GET', '/v0/auth/me')).toMatchObject({
          organization_id: mailroom.organization_id,
        });
    });

    it('signs a POST and the bytes of its body, anew each time', async () => {
      const username = `otter-${file.replace('.', '-')}`;
      const name = "Ötter's 1% `$HOME` 🦦";
      const body = JSON.stringify({ username, display_name: name, client_id: username }, undefined, '\t');
      for (let attempt = 0; attempt < 2; attempt++)
        expect(await call(keyFiles.answer, 'POST', '/v0/inboxes', body)).toMatchObject({
          inbox_id: `${username}@${domain}`,
          display_name: name,
        });
    });

    it('signs a path and a query as they are spelled', async () => {
      const username = `beaver-${file.replace('.', '-')}`;
      await call(keyFiles.jwk, 'POST', '/v0/inboxes', JSON.stringify({ username }));
      for (const at of ['@', '%40'])
        expect(
          await call(
            keyFiles.jwk,
            'GET',
            `/v0/inboxes/${username}${at}${domain}/messages?limit=5&labels=a%2Bb`,
          ),
        ).toMatchObject({ count: 0 });
    });

    it('shows a refusal and fails', async () => {
      const { code, stdout, stderr } = await run(
        program,
        file,
        keyFiles.jwk,
        'GET',
        '/v0/inboxes/nobody@nowhere.test',
      );
      expect(code).not.toBe(0);
      expect(stdout + stderr).toContain('"code":"not_found"');
    });
  });
}

it('docs/signing.md prints three programs of at most 45 lines', async () => {
  const text = await readFile('docs/signing.md', 'utf8');
  const found = [...text.matchAll(/^```[a-z]+ title="([a-z.]+)"\n(.*?)^```$/gms)];
  expect(found.map(([, title]) => title)).toEqual(examples.map(({ file }) => file));
  for (const [, , program] of found) expect(program!.split('\n').length - 1).toBeLessThanOrEqual(45);
});
