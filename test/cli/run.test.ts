import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { describe, expect, it } from 'vitest';
import { firstOrganization } from '../../lib/cli/first-organization.ts';
import { testKey } from '../edge/key-fixture.ts';
import { fakeOperator, origin } from '../sdk/fake-mailroom.ts';
import { address, operatorKey, setUp } from './posthorn-shell.ts';

describe('posthorn call', () => {
  it('signs what local.json says and prints the answer', async () => {
    const { posthorn, mailroom } = setUp();
    const { code, json } = await posthorn(['call', 'get', `/v0/inboxes/${address}/messages?limit=2`]);
    expect([code, json().count]).toEqual([0, 2]);
    expect(mailroom.calls[0]!.call.query).toEqual({ limit: 2 });
  });
  it('takes a body as text, file or standard input', async () => {
    const { posthorn, mailroom, cwd } = setUp();
    writeFileSync(join(cwd, 'b.json'), '{"username":"file"}');
    expect((await posthorn(['call', 'POST', '/v0/inboxes', '--data', '{"username":"text"}'])).code).toBe(0);
    expect((await posthorn(['call', 'POST', '/v0/inboxes', '--data', '@b.json'])).code).toBe(0);
    expect(
      (await posthorn(['call', 'POST', '/v0/inboxes', '--data', '-'], { stdin: '{"username":"stdin"}' }))
        .code,
    ).toBe(0);
    expect(mailroom.calls.map(({ call }) => call.body.username)).toEqual(['text', 'file', 'stdin']);
  });
  it('signs with SigV4 as the operator', async () => {
    const { posthorn, operator, requests } = setUp();
    expect(
      (await posthorn(['call', 'POST', '/v0/operator/organizations', '--operator', '--data', '{"name":"N"}']))
        .code,
    ).toBe(0);
    expect(operator.calls[0]!.call.body).toEqual({ name: 'N' });
    expect(requests[0]!.headers.get('authorization')).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIA1\/\d{8}\/us-east-1\/execute-api\/aws4_request/,
    );
    expect(requests[0]!.headers.has('signature')).toBe(false);
  });
  it('prints nothing for an empty answer, and a refusal to standard error with code 1', async () => {
    const { posthorn } = setUp();
    expect(await posthorn(['call', 'DELETE', `/v0/inboxes/${address}/messages/m`])).toMatchObject({
      code: 0,
      out: '',
    });
    const { code, out, err } = await posthorn(['call', 'GET', '/v0/nothing']);
    expect([code, out, err]).toEqual([
      1,
      '',
      'Route not found (not_found)\nCheck the id, and that the key reaches it.\n',
    ]);
  });
});

describe('the commands', () => {
  it('take --json everywhere, and say so', async () => {
    const { posthorn } = setUp();
    const { code, json } = await posthorn(['inboxes', 'get', address, '--json']);
    expect([code, json().inbox_id]).toEqual([0, address]);
    for (const words of [['inboxes', 'create'], ['send-test'], ['operator', 'keys', 'list']])
      expect((await posthorn([...words, '--help'])).out).toContain('--json');
  });
  it('do what they are named for', async () => {
    const { posthorn, mailroom } = setUp();
    const done = async (...args: string[]) => {
      const { code, err } = await posthorn(args);
      expect([code, err]).toEqual([0, '']);
      return mailroom.calls.at(-1)!;
    };
    const created = await done(
      'inboxes',
      'create',
      '--username',
      'alice',
      '--display-name',
      'Alice',
      '--client-id',
      'c',
      '--metadata',
      '{"a":1}',
      '--generate-key',
      '--webhook',
      'https://x.test/',
    );
    expect(created.call.body).toMatchObject({
      username: 'alice',
      display_name: 'Alice',
      client_id: 'c',
      metadata: { a: 1 },
      credential: { type: 'generate' },
      webhook: { url: 'https://x.test/' },
    });
    expect((await done('inboxes', 'create')).call.body).toEqual({});
    expect((await done('inboxes', 'list', '--limit', '5', '--ascending')).call.query).toEqual({
      limit: 5,
      ascending: true,
    });
    expect((await done('inboxes', 'get', address)).name).toBe('inboxes.get');
    expect((await done('inboxes', 'update', address, '--metadata', '{"a":null}')).call.body).toEqual({
      metadata: { a: null },
    });
    const listed = await done(
      'messages',
      'list',
      address,
      '--label',
      'a',
      '--label',
      'b,c',
      '--from',
      'x',
      '--include',
      'spam',
      'trash',
      '--page-token',
      '3',
    );
    expect(listed.call.query).toEqual({
      labels: ['a', 'b,c'],
      from: ['x'],
      include_spam: true,
      include_trash: true,
      page_token: '3',
    });
    expect((await done('messages', 'get', address, 'msg_1')).call.path.message_id).toBe('msg_1');
    expect(
      (await done('messages', 'label', address, 'msg_1', '--add', 'x', '--remove', 'unread')).call.body,
    ).toEqual({ add: ['x'], remove: ['unread'] });
    expect((await done('messages', 'delete', address, 'msg_1')).name).toBe('inboxes.messages.delete');
    expect((await done('threads', 'list')).name).toBe('threads.list');
    expect((await done('threads', 'list', '--inbox', address)).name).toBe('inboxes.threads.list');
    expect((await done('threads', 'get', 'thr_1')).name).toBe('threads.get');
    expect((await done('threads', 'get', 'thr_1', '--inbox', address)).name).toBe('inboxes.threads.get');
  });
  it('download bytes as they are', async () => {
    const { posthorn, requests } = setUp();
    expect([...(await posthorn(['messages', 'raw', address, 'msg_1'])).bytes]).toEqual([0xff, 0x0a]);
    expect([...(await posthorn(['messages', 'attachment', address, 'msg_1', 'att_1'])).bytes]).toEqual([
      0xff, 0x0a,
    ]);
    expect(requests.at(-1)!.headers.has('signature')).toBe(false);
  });
  it('of the operator go through the operator’s door', async () => {
    const { posthorn, operator } = setUp();
    const jwk = JSON.stringify(testKey().credential.public_key);
    const proof = 'p'.repeat(86);
    for (const args of [
      'organizations create --name Acme',
      'organizations list',
      'organizations get org_1',
      'keys create org_1 --permission inbox_read',
      `keys create org_1 --public-key ${jwk} --proof ${proof}`,
      'undeliverable list --limit 3',
    ]) {
      expect(await posthorn(['operator', ...args.split(' ')])).toMatchObject({ code: 0, err: '' });
    }
    expect(operator.calls.map(({ name }) => name)).toEqual([
      'operator.organizations.create',
      'operator.organizations.list',
      'operator.organizations.get',
      'operator.apiKeys.create',
      'operator.apiKeys.create',
      'operator.undeliverable.list',
    ]);
    expect(operator.calls[3]!.call.body).toEqual({ type: 'generate', permissions: { inbox_read: true } });
    expect(operator.calls[4]!.call.body).toEqual({ type: 'public_key', public_key: JSON.parse(jwk), proof });
  });
});

describe('posthorn send-test', () => {
  const received: { from: string; to: string[]; mail: string }[] = [];
  const smtp = new SMTPServer({
    authOptional: true,
    logger: false,
    onData: async (stream, { envelope }, done) => {
      let mail = '';
      for await (const chunk of stream) mail += chunk;
      received.push({
        from: (envelope.mailFrom as { address: string }).address,
        to: envelope.rcptTo.map((one) => one.address),
        mail,
      });
      done();
    },
  });

  it('sends real mail by SMTP, composed or as it is', async () => {
    await new Promise<void>((listening) => void smtp.listen(0, '127.0.0.1', listening));
    try {
      const { posthorn, cwd } = setUp({ smtpPort: (smtp.server.address() as AddressInfo).port });
      const sent = await posthorn([
        'send-test',
        '--to',
        address,
        '--to',
        'b@mail.example.com',
        '--subject',
        'Hi',
        '--text',
        'There',
      ]);
      expect(sent).toMatchObject({ code: 0, err: '' });
      expect(sent.json()).toMatchObject({ accepted: [address, 'b@mail.example.com'], rejected: [] });
      expect(received[0]).toMatchObject({
        from: 'alice@sender.test',
        to: [address, 'b@mail.example.com'],
        mail: expect.stringContaining('Subject: Hi'),
      });
      writeFileSync(join(cwd, 'mail.eml'), 'Subject: as it is\r\n\r\nraw\r\n');
      expect(
        (await posthorn(['send-test', '--to', address, '--from', 'm@forger.test', '--file', 'mail.eml']))
          .code,
      ).toBe(0);
      expect(received[1]).toEqual({
        from: 'm@forger.test',
        to: [address],
        mail: 'Subject: as it is\r\n\r\nraw\r\n',
      });
    } finally {
      await new Promise<void>((closed) => smtp.close(closed));
    }
  });
});

describe('the connection', () => {
  it('takes --home, --url and --key, and the environment', async () => {
    const { posthorn, writeLocal, cwd, key, requests } = setUp({ local: false });
    const me = ['call', 'GET', '/v0/auth/me'];
    const bare = await posthorn(me);
    expect([bare.code, bare.err]).toEqual([2, expect.stringContaining('npm start')]);
    writeFileSync(join(cwd, 'key.json'), JSON.stringify(key));
    expect((await posthorn(['--url', `${origin}/`, '--key', 'key.json', ...me])).code).toBe(0);
    expect(
      (await posthorn(me, { env: { POSTHORN_URL: origin, POSTHORN_KEY: JSON.stringify(key.private_jwk) } }))
        .code,
    ).toBe(0);
    writeLocal('other', origin);
    expect((await posthorn(['--home', 'other', ...me])).code).toBe(0);
    expect((await posthorn([...me, '--home', 'other'])).code).toBe(0);
    expect(requests.every(({ url }) => url === `${origin}/v0/auth/me`)).toBe(true);
  });
  it('shows the local key to no other server', async () => {
    const { posthorn, requests } = setUp();
    const elsewhere = await posthorn(['--url', 'https://elsewhere.example', 'call', 'GET', '/v0/auth/me']);
    expect([elsewhere.code, elsewhere.err]).toEqual([
      2,
      expect.stringContaining('No key for https://elsewhere.example'),
    ]);
    const operator = await posthorn([
      '--url',
      'https://elsewhere.example',
      'operator',
      'organizations',
      'list',
    ]);
    expect([operator.code, operator.err]).toEqual([2, expect.stringContaining('AWS_REGION')]);
    expect(requests).toEqual([]);
  });
  it('says what is wrong with a key', async () => {
    const { posthorn, cwd, writeLocal } = setUp();
    const withKey = async (key: string) => (await posthorn(['--key', key, 'call', 'GET', '/v0/auth/me'])).err;
    expect(await withKey('nowhere.json')).toContain('neither JSON nor a file');
    expect(await withKey('{"kty":"OKP"}')).toContain('no member d');
    expect(await withKey('{')).toContain('not JSON');
    writeLocal('bad', origin);
    writeFileSync(join(cwd, 'bad', 'local.json'), '{');
    expect((await posthorn(['--home', 'bad', 'call', 'GET', '/'])).err).toContain('cannot be read');
  });
});

describe('exit codes', () => {
  it('are 0 for help, 2 for what is not understood, and help says so', async () => {
    const { posthorn } = setUp();
    const help = await posthorn(['--help']);
    expect([help.code, help.out]).toEqual([0, expect.stringContaining('2 the command was not understood')]);
    for (const args of [
      ['nonsense'],
      ['call', 'GET'],
      ['inboxes', 'list', '--limit', 'many'],
      ['call', 'GET', 'v0'],
      ['send-test'],
      ['inboxes', 'create', '--metadata', '{'],
      ['operator', 'keys', 'create', 'o', '--proof', 'x'],
      ['messages', 'list', address, '--include', 'everything'],
    ]) {
      const { code, err, out } = await posthorn(args);
      expect([code, out]).toEqual([2, '']);
      expect(err).not.toBe('');
    }
  });
  it('are 1 for a refusal, told with every field and the fix', async () => {
    const { posthorn } = setUp();
    const { code, err } = await posthorn([
      'inboxes',
      'create',
      '--client-id',
      'a@b',
      '--display-name',
      '<x>',
    ]);
    expect(code).toBe(1);
    expect(err).toMatch(
      /^display_name: leave out .*\(and 1 more\) \(validation_error\)\n {2}client_id: give 1 to 256/,
    );
  });
});

describe('the first organization', () => {
  it('is made through the operator’s door', async () => {
    const { fetch, calls } = fakeOperator();
    const first = await firstOrganization({ api: origin, operator: operatorKey, fetch, name: 'local' });
    expect(first).toEqual({
      organization_id: 'org_1',
      key: { api_key_id: 'key_1', private_jwk: expect.objectContaining({ d: expect.any(String) }) },
    });
    expect(calls.map(({ name, call }) => [name, call.body])).toEqual([
      ['operator.organizations.create', { name: 'local' }],
      ['operator.apiKeys.create', { type: 'generate' }],
    ]);
  });
});
