import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testKey } from '../edge/key-fixture.ts';
import { address, setUp } from './posthorn-shell.ts';

/** Runs commands that have to succeed, and says which call each of them was. */
function scene() {
  const { posthorn, mailroom, operator, cwd } = setUp();
  const done = async (line: string) => {
    const args = line.split(' ');
    const { code, err, out } = await posthorn(args);
    expect([code, err], line).toEqual([0, '']);
    const { name, call } = (args[0] === 'operator' ? operator : mailroom).calls.at(-1)!;
    const { path = {}, query = {}, body } = call as { path?: object; query?: object; body?: unknown };
    return { name, path, query, body, out };
  };
  const refused = async (line: string) => {
    const before = mailroom.calls.length + operator.calls.length;
    const { code, out, err } = await posthorn(line.split(' '));
    expect([code, out], line).toEqual([2, '']);
    expect(mailroom.calls.length + operator.calls.length, line).toBe(before);
    return err;
  };
  return { done, refused, cwd };
}

describe('posthorn pods', () => {
  it('makes, lists, shows and deletes', async () => {
    const { done } = scene();
    expect(await done('pods create --name One --client-id one')).toMatchObject({
      name: 'pods.create',
      body: { name: 'One', client_id: 'one' },
    });
    expect((await done('pods create')).body).toEqual({});
    const listed = await done('pods list --limit 5 --page-token t --ascending');
    expect(listed).toMatchObject({
      name: 'pods.list',
      query: { limit: 5, page_token: 't', ascending: true },
    });
    expect(JSON.parse(listed.out).pods).toMatchObject([{ pod_id: 'pod_1' }]);
    expect(await done('pods get pod_1')).toMatchObject({ name: 'pods.get', path: { pod_id: 'pod_1' } });
    expect(await done('pods delete pod_1')).toMatchObject({
      name: 'pods.delete',
      path: { pod_id: 'pod_1' },
      out: '',
    });
  });

  it('says what is missing', async () => {
    const { refused } = scene();
    expect(await refused('pods get')).toContain("missing required argument 'pod'");
    await refused('pods delete');
    await refused('pods rename pod_1');
  });
});

describe('posthorn keys', () => {
  it('makes a pair, registers a public key or asks for a bearer', async () => {
    const { done, cwd } = scene();
    const full =
      'keys create --name CI --permission inbox_read message_read --expires 2030-01-01T00:00:00Z --client-id ci';
    expect(await done(full)).toMatchObject({
      name: 'apiKeys.create',
      body: {
        type: 'generate',
        name: 'CI',
        permissions: { inbox_read: true, message_read: true },
        expires_at: '2030-01-01T00:00:00Z',
        client_id: 'ci',
      },
    });
    expect((await done('keys create')).body).toEqual({ type: 'generate' });
    expect((await done('keys create --bearer')).body).toEqual({ type: 'bearer' });
    const public_key = testKey().credential.public_key;
    const proof = 'p'.repeat(86);
    const registered = { type: 'public_key', public_key, proof };
    const jwk = JSON.stringify(public_key);
    expect((await done(`keys create --public-key ${jwk} --proof ${proof}`)).body).toEqual(registered);
    writeFileSync(join(cwd, 'public.json'), jwk);
    expect((await done(`keys create --public-key @public.json --proof ${proof}`)).body).toEqual(registered);
  });

  it('lists, shows, changes and revokes, by id or client id', async () => {
    const { done } = scene();
    expect(await done('keys list --type bearer --limit 2')).toMatchObject({
      name: 'apiKeys.list',
      query: { type: 'bearer', limit: 2 },
    });
    expect(await done('keys get ci')).toMatchObject({ name: 'apiKeys.get', path: { api_key_id: 'ci' } });
    expect(await done('keys update key_1 --name Uno --permission inbox_read')).toMatchObject({
      name: 'apiKeys.update',
      path: { api_key_id: 'key_1' },
      body: { name: 'Uno', permissions: { inbox_read: true } },
    });
    expect(await done('keys revoke key_1')).toMatchObject({ name: 'apiKeys.delete', out: '' });
  });

  it.each([
    ['--pod pod_1', 'pods.apiKeys', { pod_id: 'pod_1' }],
    [`--inbox ${address}`, 'inboxes.apiKeys', { inbox_id: address }],
  ])('does all of it at a place: %s', async (place, route, path) => {
    const { done } = scene();
    expect(await done(`keys create ${place} --name One`)).toMatchObject({
      name: `${route}.create`,
      path,
      body: { type: 'generate', name: 'One' },
    });
    expect(await done(`keys list ${place} --type public_key`)).toMatchObject({
      name: `${route}.list`,
      path,
      query: { type: 'public_key' },
    });
    const key = { ...path, api_key_id: 'key_1' };
    expect(await done(`keys get key_1 ${place}`)).toMatchObject({ name: `${route}.get`, path: key });
    expect(await done(`keys update key_1 --name Uno ${place}`)).toMatchObject({
      name: `${route}.update`,
      path: key,
      body: { name: 'Uno' },
    });
    expect(await done(`keys revoke key_1 ${place}`)).toMatchObject({ name: `${route}.delete`, path: key });
  });

  it('asks nobody where the words do not fit together', async () => {
    const { refused } = scene();
    expect(await refused(`keys list --pod pod_1 --inbox ${address}`)).toContain('not both');
    expect(await refused('keys create --public-key {}')).toContain('belong together');
    expect(await refused('keys create --bearer --proof p')).toContain('--bearer goes without');
    expect(await refused('keys create --public-key { --proof p')).toContain('not JSON');
    expect(await refused('keys create --public-key @none.json --proof p')).toContain('cannot be read');
    expect(await refused('keys list --type password')).toContain('public_key');
    await refused('keys revoke');
  });
});

describe('posthorn operator', () => {
  it('sets what the operator sets of an organization; none takes a limit away', async () => {
    const { done } = scene();
    const path = { organization_id: 'org_1' };
    const set =
      'operator organizations update org_1 --name Acme --access production --bearer-keys on --inbox-limit 5 --domain-limit none --requests-per-minute 600 --key-requests-per-minute 60 --archive-retention-days 90';
    expect(await done(set)).toMatchObject({
      name: 'operator.organizations.update',
      path,
      body: {
        name: 'Acme',
        access: 'production',
        bearer_keys: true,
        inbox_limit: 5,
        domain_limit: null,
        requests_per_minute: 600,
        key_requests_per_minute: 60,
        archive_retention_days: 90,
      },
    });
    expect((await done('operator organizations update org_1 --bearer-keys off')).body).toEqual({
      bearer_keys: false,
    });
    expect(await done('operator organizations suspend org_1 --reason unpaid')).toMatchObject({
      name: 'operator.organizations.suspend',
      path,
      body: { reason: 'unpaid' },
    });
    expect((await done('operator organizations suspend org_1')).body).toEqual({});
    expect(await done('operator organizations resume org_1')).toMatchObject({
      name: 'operator.organizations.resume',
      path,
    });
  });

  it('lists and revokes keys, issues bearers and pairs that end', async () => {
    const { done } = scene();
    const path = { organization_id: 'org_1' };
    expect((await done('operator keys create org_1 --bearer --name CI')).body).toEqual({
      type: 'bearer',
      name: 'CI',
    });
    expect((await done('operator keys create org_1 --expires 2030-01-01T00:00:00Z')).body).toEqual({
      type: 'generate',
      expires_at: '2030-01-01T00:00:00Z',
    });
    expect(await done('operator keys list org_1 --limit 3')).toMatchObject({
      name: 'operator.apiKeys.list',
      path,
      query: { limit: 3 },
    });
    expect(await done('operator keys revoke org_1 key_1')).toMatchObject({
      name: 'operator.apiKeys.delete',
      path: { ...path, api_key_id: 'key_1' },
      out: '',
    });
  });

  it('pauses sending, lets it go on, and says how it stands', async () => {
    const { done } = scene();
    const update = 'operator.settings.update';
    expect(await done('operator sending pause')).toMatchObject({ name: update, body: { sending: 'paused' } });
    expect(await done('operator sending resume')).toMatchObject({ name: update, body: { sending: 'on' } });
    const status = await done('operator sending status');
    expect([status.name, JSON.parse(status.out)]).toEqual(['operator.settings.get', { sending: 'on' }]);
  });

  it('reads an organization’s ledger with each filter, and forgets what is personal', async () => {
    const { done } = scene();
    const filters =
      '--before 2030-01-02T00:00:00Z --after 2030-01-01T00:00:00Z --action inboxes.create --outcome denied --api-key key_1 --resource inb_1 --ascending';
    expect(await done(`operator audit list org_1 ${filters}`)).toMatchObject({
      name: 'operator.audit.list',
      path: { organization_id: 'org_1' },
      query: {
        before: '2030-01-02T00:00:00Z',
        after: '2030-01-01T00:00:00Z',
        action: 'inboxes.create',
        outcome: 'denied',
        api_key_id: 'key_1',
        resource: 'inb_1',
        ascending: true,
      },
    });
    expect((await done('operator audit erase org_1 --all')).body).toEqual({ all: true });
  });

  it('asks nobody where a word is missing or wrong', async () => {
    const { refused } = scene();
    expect(await refused('operator organizations update org_1')).toContain('at least one setting');
    expect(await refused('operator organizations update org_1 --inbox-limit many')).toContain('whole number');
    expect(await refused('operator organizations update org_1 --access public')).toContain('sandbox');
    expect(await refused('operator organizations update org_1 --bearer-keys yes')).toContain('on, off');
    expect(await refused('operator audit erase org_1 --all --value x')).toContain('either');
    await refused('operator organizations suspend');
    await refused('operator keys revoke org_1');
    await refused('operator sending stop');
  });
});
