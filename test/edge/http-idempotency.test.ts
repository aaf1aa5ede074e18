import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { settleDeed, transactDeed } from '../../lib/adapters/dynamo/deed.ts';
import { reservations } from '../../lib/adapters/dynamo/reservations.ts';
import type { Call } from '../../lib/contract/call.ts';
import type { InboxRef, KeyPrincipal, Scope } from '../../lib/contract/principal.ts';
import { Problem } from '../../lib/contract/problem.ts';
import { httpDoor } from '../../lib/edge/http.ts';
import { createLog } from '../../lib/edge/log.ts';
import { tableHouse, type TableHouse } from '../support/table-house.ts';
import { apiEvent, lambdaContext } from './api-event.ts';

let house: TableHouse;
let clock = Date.parse('2026-01-31T12:00:00Z');
let creates: (call: Call<'inboxes.create'>) => Promise<unknown>;
let carriedOut = 0;
let nonces = 0;
beforeAll(async () => {
  house = await tableHouse();
});
afterAll(() => house.close());

const scopes: Record<string, Scope> = {
  whole: { organization_id: 'org_1' },
  sister: { organization_id: 'org_1' },
  pod: { organization_id: 'org_1', pod_id: 'pod_1' },
  stranger: { organization_id: 'org_2' },
};
const alice: InboxRef = { uid: 'inb_a', inbox_id: 'a@mail.test', organization_id: 'org_1', pod_id: 'org_1' };

/** A change of its own row, and the answer to it. */
const change = async ({ deed, scope }: Call<'inboxes.create'>) => {
  const number = ++carriedOut;
  await transactDeed(house.database, deed, [
    { put: { pk: `O#${scope.organization_id}#N#${number}`, sk: 'X' } },
  ]);
  return {
    organization_id: scope.organization_id,
    pod_id: scope.pod_id ?? scope.organization_id,
    inbox_id: `${number}@mail.test`,
    email: `${number}@mail.test`,
    updated_at: 'now',
    created_at: 'now',
    credential: {
      api_key_id: 'key_9',
      keyid: 'k',
      private_jwk: { kty: 'OKP', crv: 'Ed25519', x: 'Q'.repeat(43), d: 'w'.repeat(43) },
    },
  };
};
beforeEach(() => {
  creates = change;
  carriedOut = 0;
});

/** One instance of the function. */
const instance = () =>
  httpDoor<'inboxes.create' | 'inboxes.update'>({
    useCases: {
      'inboxes.create': async (call) => (await creates(call)) as never,
      'inboxes.update': async () => (carriedOut++, Promise.reject(new Problem('race_condition', 'again'))),
    },
    authenticate: async ({ headers }, { inbox }) => {
      const who = headers['x-key'] ?? 'whole';
      const principal: KeyPrincipal = {
        kind: 'key',
        scope: scopes[who]!,
        api_key_id: `key_${who}`,
        keyid: who,
      };
      const once = { key: `nonce ${++nonces}`, expires: Math.ceil(clock / 1000) + 600 };
      return { principal, once, ...(inbox !== undefined && { inbox: alice }) };
    },
    deeds: { settle: settleDeed(house.database), commit: async () => ({}) },
    reservations: reservations(house.database, () => clock),
    ulid: (time) => `01${createHash('sha256').update(`${time} ${nonces}`).digest('hex').slice(0, 24)}`,
    log: createLog(
      () => undefined,
      () => clock,
    ),
    now: () => clock,
  });

interface Asked {
  key?: string;
  who?: string;
  body?: string;
  path?: string;
  door?: ReturnType<typeof instance>;
}
let keys = 0;
const newKey = () => `key-${++keys}`;
async function create({ key, who = 'whole', body = '{"username":"a"}', path, door = instance() }: Asked) {
  const url = `https://mail.test${path ?? '/v0/inboxes'}`;
  const headers = {
    'x-key': who,
    'content-type': 'application/json',
    ...(key !== undefined && { 'idempotency-key': key }),
  };
  const answer = await door(apiEvent({ method: 'POST', url, headers, body }), lambdaContext);
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: answer.body === undefined ? undefined : JSON.parse(answer.body),
  };
}
const lines = async () => (await house.rows()).filter(({ row_type }) => row_type === 'line');

describe('an Idempotency-Key at the http door', () => {
  it('answers a repeat, at any instance and by any key of the scope, as the first, less what is shown once', async () => {
    const key = newKey();
    const first = await create({ key });
    expect(first.status).toBe(200);
    expect(first.body.credential.private_jwk).toBeDefined();
    clock += 3_600_000;
    const before = (await lines()).length;
    for (const who of ['whole', 'sister']) {
      const again = await create({ key, who });
      expect(again.status).toBe(200);
      const { private_jwk: _, ...credential } = first.body.credential;
      expect(again.body).toEqual({ ...first.body, credential });
      expect(again.headers['idempotent-replayed']).toBe('true');
    }
    expect(carriedOut).toBe(1);
    const row = (await house.rows()).filter(({ sk }) => sk === 'IDEM');
    expect(JSON.stringify(row)).not.toContain('w'.repeat(43));
    expect(await lines()).toHaveLength(before + 2);
  });

  it('carries out one of 20 at once over 4 instances; the others are told to come again', async () => {
    const doors = Array.from({ length: 4 }, instance);
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => create({ key, door: doors[n % doors.length]! })),
    );
    expect(carriedOut).toBe(1);
    for (const { status, headers, body } of answers) {
      expect([200, 409]).toContain(status);
      if (status === 409) expect([body.code, headers['retry-after']]).toEqual(['conflict', '1']);
    }
    const inboxes = answers.filter(({ status }) => status === 200).map(({ body }) => body.inbox_id);
    expect(new Set(inboxes).size).toBe(1);
    expect((await create({ key })).body.inbox_id).toBe(inboxes[0]);
  });

  it('is 409 for another body, and for a key of another scope of the organization', async () => {
    const key = newKey();
    await create({ key });
    for (const other of [{ body: '{"username":"b"}' }, { path: '/v0/inboxes?x=1' }, { who: 'pod' }]) {
      const { status, body } = await create({ key, ...other });
      expect([status, body.code]).toEqual([409, 'conflict']);
      expect(JSON.stringify(body)).not.toContain('@mail.test');
    }
    expect(carriedOut).toBe(1);
    expect((await create({ key, who: 'stranger' })).body.organization_id).toBe('org_2');
  });

  it.each(['', 'a b', 'a,b', 'x'.repeat(257)])('is refused as %j before anything is done', async (key) => {
    const { status, body } = await create({ key });
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ path: ['idempotency-key'] }]);
    expect(carriedOut).toBe(0);
  });

  it('is free again after a refusal, of the input or of the use case', async () => {
    const key = newKey();
    expect((await create({ key, body: '{"username":1}' })).status).toBe(400);
    creates = async () => {
      throw new Problem('already_exists', 'taken');
    };
    expect((await create({ key })).status).toBe(403);
    creates = change;
    expect((await create({ key, body: '{"username":"c"}' })).status).toBe(200);
    expect(carriedOut).toBe(1);
  });

  it('stays held after a failure nobody foresaw, until its minute is over', async () => {
    const key = newKey();
    creates = async () => {
      throw new Error('power cut');
    };
    expect((await create({ key })).status).toBe(500);
    creates = change;
    expect((await create({ key })).status).toBe(409);
    clock += 60_001;
    expect((await create({ key })).status).toBe(200);
    expect(carriedOut).toBe(1);
  });

  it('of a change whose answer was lost is never carried out again', async () => {
    const key = newKey();
    creates = async (call) => {
      await change(call);
      throw new Error('power cut');
    };
    expect((await create({ key })).status).toBe(500);
    creates = change;
    clock += 60_001;
    const { status, body } = await create({ key });
    expect(status).toBe(409);
    expect(body.message).toContain('its answer is lost');
    expect(carriedOut).toBe(1);
  });

  it('that was taken over meanwhile changes nothing', async () => {
    const key = newKey();
    creates = async (call) => {
      clock += 60_001;
      creates = change;
      expect((await create({ key })).status).toBe(200);
      return change(call);
    };
    const slow = await create({ key });
    expect([slow.status, slow.body.code]).toEqual([409, 'conflict']);
    expect((await create({ key })).body.inbox_id).toBe('1@mail.test');
  });

  it('means nothing to a route that does not take it', async () => {
    const headers = { 'idempotency-key': newKey(), 'content-type': 'application/json' };
    const event = apiEvent({
      method: 'PATCH',
      url: 'https://mail.test/v0/inboxes/a@mail.test',
      headers,
      body: '{"display_name":"A"}',
    });
    const door = instance();
    for (let n = 0; n < 2; n++) await door(event, lambdaContext);
    expect(carriedOut).toBe(2);
  });

  it('is no matter to calls without it', async () => {
    await Promise.all([create({}), create({})]);
    expect(carriedOut).toBe(2);
  });
});
