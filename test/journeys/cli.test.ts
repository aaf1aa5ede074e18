import { execFile, spawnSync } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { posthornHere } from '../support/posthorn-here.ts';
import { Command, startPosthorn, usedHome, type Posthorn } from '../support/posthorn-process.ts';

let home: string;
let posthorn: Posthorn;
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  home = await (await usedHome()).copy();
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

/** The same command without a process of its own, with a key of its own where one is given. */
const commandHere = (line: string, key?: object) =>
  posthornHere(home, ...(key ? ['--key', JSON.stringify(key)] : []), ...line.split(' '));
async function answerHere(line: string, key?: object) {
  const { code, out, err } = await commandHere(line, key);
  expect([code, err], line).toEqual([0, '']);
  return out === '' ? undefined : JSON.parse(out);
}
async function refusalHere(line: string, key?: object): Promise<string> {
  const { code, out, err } = await commandHere(line, key);
  expect([code, out], line).toEqual([1, '']);
  return err;
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

it('parts an organization into pods, each with keys of its own', async () => {
  const pod = await answerHere('pods create --name Customer --client-id customer');
  expect((await answerHere('pods create --client-id customer')).pod_id).toBe(pod.pod_id);
  const made = await answerHere(`keys create --pod ${pod.pod_id} --name theirs --client-id theirs`);
  expect(made).toMatchObject({ name: 'theirs', pod_id: pod.pod_id, private_jwk: { crv: 'Ed25519' } });
  expect(await answerHere('pods list', made)).toMatchObject({ count: 1, pods: [{ name: 'Customer' }] });
  const inbox = await answerHere('inboxes create --username customer', made);
  expect(inbox.pod_id).toBe(pod.pod_id);
  expect(await refusalHere('pods get pod_another', made)).toContain('(not_found)');
  expect(await refusalHere('pods create', made)).toContain('(missing_permission)');
  expect(await refusalHere(`pods delete ${pod.pod_id}`)).toContain('(cannot_delete)');

  const reader = await answerHere('keys create --permission inbox_read --inbox customer@posthorn.test');
  expect(reader).toMatchObject({ permissions: { inbox_read: true }, inbox_id: 'customer@posthorn.test' });
  expect((await answerHere('inboxes list', reader)).count).toBe(1);
  expect(await refusalHere('keys list', reader)).toContain('(missing_permission)');
  const { api_keys } = await answerHere('keys list', made);
  expect(api_keys.map(({ api_key_id }: { api_key_id: string }) => api_key_id)).toEqual([
    reader.api_key_id,
    made.api_key_id,
  ]);
  expect(await refusalHere('keys create --bearer')).toMatch(/does not take bearer keys .*\n.*bearer_keys/);
  expect((await answerHere('keys update theirs --name Theirs')).name).toBe('Theirs');
  expect(await answerHere('keys revoke theirs')).toBeUndefined();
  expect(await refusalHere('inboxes create', made)).toContain('(unknown_api_key)');
  const own = await answerHere('audit list --action pods.apiKeys.create --outcome allowed');
  expect(own.lines).toMatchObject([{ resources: [pod.pod_id, made.api_key_id] }]);

  const empty = await answerHere('pods create');
  expect(await answerHere(`pods delete ${empty.pod_id}`)).toBeUndefined();
  expect(await refusalHere(`pods get ${empty.pod_id}`)).toContain('(not_found)');
});

it('the operator sets limits, takes bearers, suspends and resumes, and reads the ledger', async () => {
  const { organization_id: id } = await answerHere('operator organizations create --name Strict');
  const changed = await answerHere(
    `operator organizations update ${id} --access production --bearer-keys on --inbox-limit 1 --key-requests-per-minute none`,
  );
  expect(changed).toMatchObject({ access: 'production', bearer_keys: true, inbox_limit: 1 });
  const listed = await answerHere('operator organizations list --limit 2');
  expect(listed.organizations).toContainEqual(
    expect.objectContaining({ organization_id: id, name: 'Strict' }),
  );
  const key = await answerHere(`operator keys create ${id} --name first`);
  const bearer = await answerHere(`operator keys create ${id} --bearer`);
  expect(bearer.api_key).toMatch(/^ph_/);
  await answerHere('inboxes create', key);
  expect(await refusalHere('inboxes create', key)).toContain('(limit_exceeded)');
  expect(
    (await answerHere(`operator organizations update ${id} --inbox-limit none`)).inbox_limit,
  ).toBeUndefined();

  await answerHere(`operator organizations suspend ${id} --reason unpaid`);
  expect(await refusalHere('inboxes create', key)).toContain('(account_suspended)');
  expect((await answerHere(`operator organizations get ${id}`)).suspended_reason).toBe('unpaid');
  await answerHere(`operator organizations resume ${id}`);
  await answerHere('inboxes create', key);

  await answerHere(`operator keys revoke ${id} ${key.api_key_id}`);
  expect(await refusalHere('inboxes create', key)).toContain('(unknown_api_key)');
  const { api_keys } = await answerHere(`operator keys list ${id}`);
  expect(api_keys.map(({ api_key_id }: { api_key_id: string }) => api_key_id)).toEqual([bearer.api_key_id]);

  expect(await answerHere('operator sending pause')).toMatchObject({ sending: 'paused' });
  expect(await answerHere('operator sending status')).toMatchObject({ sending: 'paused' });
  expect(await answerHere('operator sending resume')).toMatchObject({ sending: 'on' });

  const { lines } = await answerHere(`operator audit list ${id} --limit 50`);
  const told = lines.map(
    ({ action, outcome }: { action: string; outcome: string }) => `${action} ${outcome}`,
  );
  for (const line of [
    'operator.organizations.create allowed',
    'operator.organizations.suspend allowed',
    'operator.apiKeys.delete allowed',
    'inboxes.create allowed',
    'inboxes.create denied',
  ])
    expect(told).toContain(line);
  expect(await answerHere(`operator audit verify ${id}`)).toMatchObject({
    organization_id: id,
    findings: [],
  });
  expect((await answerHere(`operator audit erase ${id} --all`)).erased).toBeGreaterThan(0);
});

const curl = spawnSync('curl', ['--version']).stdout?.toString() ?? '';
const [major = 0, minor = 0] = (/^curl (\d+)\.(\d+)/.exec(curl) ?? []).slice(1).map(Number);
const knowsSigV4 = major > 7 || (major === 7 && minor >= 75);

it.skipIf(!knowsSigV4)('curl --aws-sigv4 makes an organization too, and nobody else does', async () => {
  const { api, operator } = posthorn.local;
  const call = async (secret: string) => {
    const signing = ['--aws-sigv4', `aws:amz:${operator.region}:execute-api`];
    const user = ['--user', `${operator.access_key_id}:${secret}`];
    const body = ['-H', 'content-type: application/json', '-d', '{"name":"By curl"}'];
    const args = ['-s', '-m', '20', '--retry', '5', ...signing, ...user, ...body];
    const { stdout } = await promisify(execFile)('curl', [...args, `${api}/v0/operator/organizations`]);
    return JSON.parse(stdout);
  };
  expect(await call(operator.secret_access_key)).toMatchObject({
    organization_id: expect.stringMatching(/^org_/),
    name: 'By curl',
    verified: true,
    state: 'active',
  });
  expect(await call('another secret')).toEqual({ message: 'Forbidden' });
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
