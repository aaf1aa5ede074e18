import { Resolver } from 'node:dns/promises';
import { describe, expect, it } from 'vitest';
import { generateKey, proveKey } from '../../lib/sdk/key.ts';
import { domain, sharedMailroom } from '../support/mailroom.ts';

const mailroom = sharedMailroom();
const problem = (code: string, status: number) => expect.objectContaining({ code, status });

describe('an operator', () => {
  it('sees its organizations; a signed key opens nothing of the operator’s', async () => {
    const { organization_id } = await mailroom.organization();
    expect(await mailroom.operator.organizations.get(organization_id)).toMatchObject({
      organization_id,
      inbox_count: 0,
    });
    const ids: string[] = [];
    for await (const one of mailroom.operator.organizations.all({ limit: 2 })) ids.push(one.organization_id);
    expect(ids).toContain(organization_id);
    expect(new Set(ids).size).toBe(ids.length);
    await expect(mailroom.operator.organizations.get('org_nobody')).rejects.toEqual(
      problem('not_found', 404),
    );
  });
});

describe('an inbox', () => {
  it('comes with a generated key of its own, and with DNS in place', async () => {
    const client = mailroom.client();
    const { credential, dns, ...inbox } = await client.inboxes.create({
      username: 'Ada.Lovelace',
      display_name: 'Ada',
      metadata: { team: 'a', n: 1 },
      credential: { type: 'generate' },
    });
    expect(inbox).toEqual({
      organization_id: mailroom.organization_id,
      pod_id: mailroom.organization_id,
      inbox_id: `ada.lovelace@${domain}`,
      email: `ada.lovelace@${domain}`,
      display_name: 'Ada',
      metadata: { team: 'a', n: 1 },
      stored_bytes: 0,
      created_at: expect.any(String),
      updated_at: inbox.created_at,
    });
    expect(dns!.length).toBeGreaterThanOrEqual(5);
    expect(dns!.filter(({ status }) => status !== 'VALID')).toEqual([]);
    const own = mailroom.client({ private_jwk: credential!.private_jwk! });
    expect(await own.auth.me()).toEqual({
      scope_type: 'inbox',
      scope_id: inbox.inbox_id,
      organization_id: mailroom.organization_id,
      pod_id: mailroom.organization_id,
      inbox_id: inbox.inbox_id,
      api_key_id: credential!.api_key_id,
    });
    expect((await own.inboxes.list()).inboxes.map(({ inbox_id }) => inbox_id)).toEqual([inbox.inbox_id]);
  });

  it('has its records in the DNS that everybody asks', async () => {
    const { dns } = await mailroom.client().inboxes.create({ client_id: 'dns' });
    const resolver = new Resolver();
    resolver.setServers([`${mailroom.cloud.dns.host}:${mailroom.cloud.dns.port}`]);
    for (const { type, name, value } of dns!) {
      const answers = await {
        MX: async () => (await resolver.resolveMx(name)).map(({ exchange }) => exchange),
        TXT: async () => (await resolver.resolveTxt(name)).map((parts) => parts.join('')),
        CNAME: () => resolver.resolveCname(name),
      }[type]();
      expect(answers, `${type} ${name}`).toContain(value.replace(/\.$/, ''));
    }
  });

  it('takes a key that never leaves its agent, once', async () => {
    const client = mailroom.client();
    const key = generateKey();
    const credential = await proveKey(mailroom.organization_id, key);
    const { inbox_id, credential: issued } = await client.inboxes.create({ username: 'own-key', credential });
    expect(issued).toEqual({ api_key_id: expect.stringMatching(/^key_/), keyid: expect.any(String) });
    expect((await mailroom.client({ private_jwk: key }).inboxes.get(inbox_id)).email).toBe(inbox_id);
    await expect(client.inboxes.create({ username: 'own-key-2', credential })).rejects.toEqual(
      problem('conflict', 409),
    );
    await expect(client.inboxes.get(`own-key-2@${domain}`)).rejects.toEqual(problem('not_found', 404));
  });

  it('takes no key without proof that it is the caller’s, in this organization', async () => {
    const client = mailroom.client();
    const elsewhere = await proveKey('org_elsewhere', generateKey());
    const { proof } = await proveKey(mailroom.organization_id, generateKey());
    for (const credential of [
      elsewhere,
      { ...(await proveKey(mailroom.organization_id, generateKey())), proof },
    ]) {
      await expect(client.inboxes.create({ username: 'unproven', credential })).rejects.toMatchObject({
        ...{ code: 'validation_error', status: 400 },
        detail: { errors: [{ path: ['credential', 'proof'] }] },
      });
    }
    await expect(client.inboxes.get(`unproven@${domain}`)).rejects.toEqual(problem('not_found', 404));
  });

  it('is the same one for the same client_id, whatever else the call says', async () => {
    const client = mailroom.client();
    const [first, ...others] = await Promise.all(
      Array.from({ length: 8 }, () => client.inboxes.create({ client_id: 'same-agent' })),
    );
    expect(new Set(others.map(({ inbox_id }) => inbox_id))).toEqual(new Set([first!.inbox_id]));
    expect((await client.inboxes.create({ client_id: 'same-agent', username: 'other' })).inbox_id).toBe(
      first!.inbox_id,
    );
    await expect(client.inboxes.get(`other@${domain}`)).rejects.toEqual(problem('not_found', 404));
    const { client: stranger } = await mailroom.organization();
    expect((await stranger.inboxes.create({ client_id: 'same-agent' })).inbox_id).not.toBe(first!.inbox_id);
  });

  it('of twenty concurrent claims of one address goes to exactly one', async () => {
    const clients = [mailroom.client(), (await mailroom.organization()).client];
    const claims = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        clients[n % 2]!.inboxes.create({ username: 'wanted', client_id: `claim-${n}` }),
      ),
    );
    const winners = claims.flatMap((claim) => (claim.status === 'fulfilled' ? [claim.value] : []));
    expect(winners.map(({ inbox_id }) => inbox_id)).toEqual([`wanted@${domain}`]);
    const losers = claims.flatMap((claim) => (claim.status === 'rejected' ? [claim.reason] : []));
    const codes = losers.map(({ code }) => code).sort();
    expect(codes).toEqual([...Array(9).fill('already_exists'), ...Array(10).fill('resource_taken')]);
    for (const { name, detail } of losers) {
      expect(name).toBe('IsTakenError');
      expect(detail.suggestions).toHaveLength(3);
    }
    const { organization_id } = winners[0]!;
    expect((await mailroom.operator.organizations.get(organization_id)).inbox_count).toBeGreaterThan(0);
    const sizes = await Promise.all(
      clients.map(async (client) => {
        const all = await mailroom.eventually(async () => {
          const { inbox_count } = await client.organizations.get();
          const { inboxes } = await client.inboxes.list({ limit: 500 });
          expect(inboxes).toHaveLength(inbox_count);
          return inboxes;
        });
        return all.filter(({ inbox_id }) => inbox_id === `wanted@${domain}`).length;
      }),
    );
    expect(sizes[0]! + sizes[1]!).toBe(1);
  });

  it.each([
    'postmaster', 'abuse', 'admin', 'mailer-daemon', 'Security', 'a+b', 'two..dots', '.dot', 'dot.', 'sp ace', 'ümlaut', 'a@b', '"quoted"', 'x'.repeat(65), '',
  ])('has no username %j', async (username) => {
    await expect(mailroom.client().inboxes.create({ username })).rejects.toMatchObject({
      ...{ code: 'validation_error', status: 400, name: 'ValidationError' },
      detail: { fix: expect.any(String), errors: [{ path: ['username'] }] },
    });
  }); // prettier-ignore

  it('has an ordinary word or a random readable name for a username', async () => {
    const client = mailroom.client();
    expect((await client.inboxes.create({ username: 'hello' })).inbox_id).toBe(`hello@${domain}`);
    expect((await client.inboxes.create({ username: 'x'.repeat(64) })).inbox_id).toBe(
      `${'x'.repeat(64)}@${domain}`,
    );
    const { inbox_id } = await client.inboxes.create();
    expect(inbox_id).toMatch(/^[a-z]+-[a-z]+-?\d*@posthorn\.test$/);
    await expect(client.inboxes.create({ domain: 'elsewhere.test' })).rejects.toEqual(
      problem('not_found', 404),
    );
  });

  it('comes with a webhook whose URL is public, or loopback on this machine', async () => {
    const client = mailroom.client();
    const { webhook, inbox_id } = await client.inboxes.create({
      webhook: { url: 'https://hooks.example.com/in' },
    });
    expect(webhook).toMatchObject({
      url: 'https://hooks.example.com/in',
      event_types: ['message.received'],
      inbox_ids: [inbox_id],
      enabled: true,
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    });
    await client.inboxes.create({ webhook: { url: 'http://127.0.0.1:9/hook' } });
    const bad = [
      'http://hooks.example.com/in',
      'https://10.0.0.1/',
      'https://169.254.169.254/latest',
      'https://[fd00::1]/',
      'https://0x0a000001/',
      'https://u:p@example.com/',
      'ftp://example.com/',
      'https://printer.local/',
    ];
    for (const url of bad) {
      await expect(
        client.inboxes.create({ username: 'hooked', webhook: { url } }),
        url,
      ).rejects.toMatchObject({ code: 'validation_error', status: 400 });
    }
    await expect(client.inboxes.get(`hooked@${domain}`)).rejects.toEqual(problem('not_found', 404));
  });

  it('is updated by the wire’s rules for metadata', async () => {
    const client = mailroom.client();
    const { inbox_id } = await client.inboxes.create({ display_name: 'One', metadata: { a: 1, b: 'x' } });
    const merged = await client.inboxes.update(inbox_id, { metadata: { a: null, c: true } });
    expect(merged).toMatchObject({ display_name: 'One', metadata: { b: 'x', c: true } });
    expect(await client.inboxes.get(inbox_id)).toEqual(merged);
    const cleared = await client.inboxes.update(inbox_id, { metadata: null, display_name: 'Two' });
    expect(cleared.display_name).toBe('Two');
    expect(cleared.metadata ?? {}).toEqual({});
    await expect(client.inboxes.update(inbox_id, {})).rejects.toEqual(problem('validation_error', 400));
    await expect(client.inboxes.update(inbox_id, { metadata: {} })).rejects.toEqual(
      problem('validation_error', 400),
    );
  });
});

describe('a key of one inbox', () => {
  it('sees its inbox alone, and every other as if there were none', async () => {
    const client = mailroom.client();
    const other = await mailroom.inbox();
    const { inbox_id, credential } = await client.inboxes.create({ credential: { type: 'generate' } });
    const own = mailroom.client({ private_jwk: credential!.private_jwk! });
    await mailroom.send({ to: [inbox_id, other], subject: 'to both' });
    const mine = await mailroom.message(inbox_id, 'to both', own);
    const theirs = await mailroom.message(other, 'to both');
    const calls: (() => Promise<unknown>)[] = [
      () => own.inboxes.get(other),
      () => own.inboxes.get(`nobody@${domain}`),
      () => own.inboxes.update(other, { display_name: 'Mine' }),
      () => own.inboxes.messages.list(other),
      () => own.inboxes.messages.get(other, theirs.message_id),
      () => own.inboxes.messages.get(inbox_id, theirs.message_id),
      () => own.inboxes.messages.getRaw(inbox_id, theirs.message_id),
      () => own.inboxes.messages.update(inbox_id, theirs.message_id, { add_labels: ['x'] }),
      () => own.inboxes.messages.delete(inbox_id, theirs.message_id),
      () => own.inboxes.threads.get(inbox_id, theirs.thread_id),
      () => own.threads.get(theirs.thread_id),
      () => own.threads.delete(theirs.thread_id),
    ];
    for (const [n, call] of calls.entries())
      await expect(call(), `call ${n}`).rejects.toEqual(problem('not_found', 404));
    await expect(own.inboxes.create()).rejects.toEqual(problem('missing_permission', 403));
    expect((await own.threads.list()).threads.map(({ thread_id }) => thread_id)).toEqual([mine.thread_id]);
    expect(
      (await own.inboxes.messages.batchGet(inbox_id, [mine.message_id, theirs.message_id])).messages.map(
        ({ message_id }) => message_id,
      ),
    ).toEqual([mine.message_id]);
    expect((await client.inboxes.messages.get(other, theirs.message_id)).subject).toBe('to both');
  });
});
