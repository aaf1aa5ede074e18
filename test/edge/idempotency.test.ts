import { describe, expect, it } from 'vitest';
import { Problem } from '../../lib/contract/problem.ts';
import {
  fingerprintOf,
  reservationOf,
  unreserved,
  withoutSecrets,
  type Fingerprinted,
} from '../../lib/edge/idempotency.ts';

const owner = () => 'owner-1';

describe('an Idempotency-Key', () => {
  it('may be left out', () => {
    expect(reservationOf({}, 'org_1', owner)).toBeUndefined();
  });

  it.each(['a', 'A-Za-z0-9-._~', 'x'.repeat(256)])('may be %s, and is kept as its hash alone', (key) => {
    const reservation = reservationOf({ 'idempotency-key': key }, 'org_1', owner)!;
    expect(reservation).toMatchObject({ organization_id: 'org_1', owner: 'owner-1' });
    expect(reservation.key).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(reservationOf({ 'idempotency-key': key }, 'org_1', () => 'owner-2')!.key).toBe(reservation.key);
    expect(reservationOf({ 'idempotency-key': `${key.slice(1)}Z` }, 'org_1', owner)!.key).not.toBe(
      reservation.key,
    );
  });

  it.each(['', ' ', 'a b', 'a,b', 'a@b', 'é', 'a\n', 'x'.repeat(257)])('is refused as %j', (key) => {
    try {
      reservationOf({ 'idempotency-key': key }, 'org_1', owner);
      expect.fail('was taken');
    } catch (error) {
      expect(error).toBeInstanceOf(Problem);
      expect(error).toMatchObject({
        code: 'validation_error',
        detail: { errors: [{ path: ['idempotency-key'] }] },
      });
    }
  });
});

describe('a fingerprint', () => {
  const call: Fingerprinted = {
    method: 'POST',
    path: '/v0/inboxes',
    query: 'a=1',
    body: Buffer.from('{}'),
    scope: { organization_id: 'org_1' },
  };
  const inbox = { uid: 'inb_1', inbox_id: 'a@b.test', organization_id: 'org_1', pod_id: 'pod_1' };

  it('is the same for the same call, and tells nothing of it', () => {
    expect(fingerprintOf(call)).toBe(fingerprintOf({ ...call, body: new Uint8Array([123, 125]) }));
    expect(fingerprintOf(call)).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('is another when any part is, or a part ends where another begins', () => {
    const others: Partial<Fingerprinted>[] = [
      { method: 'PATCH' },
      { path: '/v0/pods' },
      { query: '' },
      { query: 'a=2' },
      { body: Buffer.from('{ }') },
      { body: Buffer.alloc(0) },
      { path: '/v0/inboxesa', query: '=1' },
      { path: '/v0/inboxes3:a=1', query: '' },
      { scope: { organization_id: 'org_2' } },
      { scope: { organization_id: 'org_1', pod_id: 'pod_1' } },
      { scope: { organization_id: 'org_1', pod_id: 'pod_1', inbox } },
    ];
    const all = [call, ...others.map((other) => ({ ...call, ...other }))].map(fingerprintOf);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('a kept answer', () => {
  it('is without what is shown once, wherever it stands', () => {
    const shown = {
      inbox_id: 'a@b.test',
      credential: { api_key_id: 'key_1', keyid: 'k', private_jwk: { d: 'private' } },
      webhook: { webhook_id: 'wh_1', secret: 'whsec_x', url: 'https://a.test' },
      list: [
        { api_key: 'ph_x', prefix: 'ph_' },
        { token: 'pht_x', token_id: 'tok_1' },
      ],
      next_page_token: 'p',
    };
    expect(JSON.parse(withoutSecrets(JSON.stringify(shown)))).toEqual({
      inbox_id: 'a@b.test',
      credential: { api_key_id: 'key_1', keyid: 'k' },
      webhook: { webhook_id: 'wh_1', url: 'https://a.test' },
      list: [{ prefix: 'ph_' }, { token_id: 'tok_1' }],
      next_page_token: 'p',
    });
  });

  it('keeps the metadata of users as it is, whatever it is called', () => {
    const body = '{"metadata":{"token":"mine","secret":1},"secret":"s"}';
    expect(withoutSecrets(body)).toBe('{"metadata":{"token":"mine","secret":1}}');
  });

  it('is the very text where nothing is secret', () => {
    for (const body of ['{ "a" : 1 }', '']) expect(withoutSecrets(body)).toBe(body);
  });
});

it('each refusal is 409 and says what helps', () => {
  expect(unreserved('in_flight')).toMatchObject({ code: 'conflict', detail: { retry_after: 1 } });
  expect(unreserved('other_request').detail.fix).toContain('new key');
  expect(unreserved('answer_lost').message).toContain('carried out');
  expect(unreserved('answer_lost').detail.fix).toContain('Do not repeat');
});
