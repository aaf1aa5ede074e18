import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Command, startPosthorn, type Posthorn } from '../support/posthorn-process.ts';

let home: string;
let posthorn: Posthorn;
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'posthorn-'));
  posthorn = await startPosthorn(home);
});
afterAll(async () => {
  await posthorn.command.signal('SIGTERM');
  await rm(home, { recursive: true });
});

/** `npx posthorn …` in the project's folder: the package's own command, on a home. */
async function posthornCommand(...words: string[]) {
  const { code, output } = await new Command(['bin/posthorn.js', '--home', home, ...words]).ended;
  return { code, output, json: () => JSON.parse(output) };
}
async function answer(...words: string[]) {
  const { code, output, json } = await posthornCommand(...words);
  expect(code, output).toBe(0);
  return json();
}

it('is what `npx posthorn` runs', async () => {
  const { bin } = JSON.parse(await readFile('package.json', 'utf8'));
  expect(bin).toEqual({ posthorn: 'bin/posthorn.js' });
});

it('a first session works as it is printed: an inbox, a mail with an attachment, reading it', async () => {
  const inbox = await answer(
    'inboxes',
    'create',
    '--username',
    'otter',
    '--display-name',
    'Otter',
    '--generate-key',
  );
  expect(inbox).toMatchObject({
    email: 'otter@posthorn.test',
    display_name: 'Otter',
    credential: { private_jwk: { crv: 'Ed25519' } },
  });
  const file = join(home, 'report.txt');
  await writeFile(file, 'All is well.');
  const sent = await answer(
    ...['send-test', '--to', 'otter+tag@posthorn.test', '--subject', 'Hello', '--text', 'Is anybody there?'],
    ...['--attach', file],
  );
  expect(sent).toMatchObject({ accepted: ['otter+tag@posthorn.test'], rejected: [] });
  const { message_id } = await vi.waitFor(async () => {
    const { messages } = await answer('messages', 'list', 'otter@posthorn.test');
    expect(messages).toHaveLength(1);
    return messages[0] as { message_id: string };
  }, 60_000);

  const message = await answer('messages', 'get', 'otter@posthorn.test', message_id);
  expect(message).toMatchObject({
    from: 'alice@sender.test',
    subject: 'Hello',
    text: expect.stringContaining('Is anybody there?'),
    attachments: [{ filename: 'report.txt', size: 12 }],
    tag: 'tag',
  });
  const [{ attachment_id }] = message.attachments;
  const download = await posthornCommand(
    'messages',
    'attachment',
    'otter@posthorn.test',
    message_id,
    attachment_id,
  );
  expect(download).toMatchObject({ code: 0, output: 'All is well.' });
  const raw = await posthornCommand('messages', 'raw', 'otter@posthorn.test', message_id);
  expect(raw.output).toMatch(/^Subject: Hello\r?$/m);

  const { threads } = await answer('threads', 'list');
  expect(threads).toMatchObject([{ thread_id: message.thread_id, message_count: 1 }]);
  expect((await answer('threads', 'get', message.thread_id)).messages).toMatchObject([{ message_id }]);

  // The key of that one inbox sees it and nothing beside it.
  const keyFile = join(home, 'otter.json');
  await writeFile(keyFile, JSON.stringify(inbox.credential));
  await answer('inboxes', 'create', '--username', 'badger');
  const own = await answer('--key', keyFile, 'inboxes', 'list');
  expect(own.inboxes.map(({ email }: { email: string }) => email)).toEqual(['otter@posthorn.test']);
  const foreign = await posthornCommand('--key', keyFile, 'inboxes', 'get', 'badger@posthorn.test');
  expect(foreign).toMatchObject({ code: 1, output: expect.stringContaining('not_found') });
});

it('call signs any request with the key, and with --operator as the operator', async () => {
  const { organization_id } = posthorn.local;
  const made = await answer('call', 'POST', '/v0/inboxes', '--data', '{"username":"heron"}');
  expect(made).toMatchObject({ email: 'heron@posthorn.test', organization_id });
  expect((await answer('call', 'GET', '/v0/inboxes/heron%40posthorn.test')).email).toBe(
    'heron@posthorn.test',
  );
  const all = await answer('call', '--operator', 'GET', '/v0/operator/organizations');
  expect(all.organizations).toContainEqual(expect.objectContaining({ organization_id }));
  const refused = await posthornCommand('call', 'GET', '/v0/operator/organizations');
  expect(refused.code).toBe(1);
});

it('the operator makes organizations and keys, and sees what could not be delivered', async () => {
  const { organization_id } = await answer('operator', 'organizations', 'create', '--name', 'Acme');
  const key = await answer('operator', 'keys', 'create', organization_id, '--name', 'first');
  const keyFile = join(home, 'acme.json');
  await writeFile(keyFile, JSON.stringify(key));
  expect(await answer('--key', keyFile, 'inboxes', 'list')).toMatchObject({ count: 0 });
  expect(await answer('operator', 'organizations', 'get', organization_id)).toMatchObject({ name: 'Acme' });

  await answer('send-test', '--to', 'nobody@posthorn.test', '--subject', 'Anyone?');
  await vi.waitFor(async () => {
    const { undeliverable } = await answer('operator', 'undeliverable', 'list');
    expect(undeliverable).toMatchObject([{ recipient: 'nobody@posthorn.test' }]);
  }, 60_000);
});

it('says in a sentence what is wrong: 2 for a command it does not know, 1 for a refusal', async () => {
  expect(await posthornCommand('inboxs')).toMatchObject({ code: 2 });
  const taken = await posthornCommand('inboxes', 'create', '--username', 'postmaster');
  expect(taken.code).toBe(1);
  expect(taken.output).not.toMatch(/\n\s+at /);
  const nowhere = await new Command(['bin/posthorn.js', '--home', join(home, 'none'), 'inboxes', 'list'])
    .ended;
  expect(nowhere.code).toBe(2);
  expect(nowhere.output).toMatch(/^There is no .*none\/local\.json: run npm start/);
});
