import { describe, expect, it } from 'vitest';
import type { Call } from '../../lib/contract/call.ts';
import type { InboxRef, KeyPrincipal } from '../../lib/contract/principal.ts';
import { Problem } from '../../lib/contract/problem.ts';
import { token as tokenAnswer } from '../../lib/contract/token.ts';
import { mintToken, type TokenClaims } from '../../lib/core/mint-token.ts';

const now = Date.parse('2026-01-31T12:00:00Z');
const alice: InboxRef = {
  uid: 'inb_a',
  inbox_id: 'alice@mail.test',
  organization_id: 'org_1',
  pod_id: 'pod_1',
};
const bob = { ...alice, uid: 'inb_b', inbox_id: 'bob@mail.test', pod_id: 'pod_2' };
const stranger = { ...alice, uid: 'inb_s', inbox_id: 'stranger@mail.test', organization_id: 'org_2' };
const pods = ['org_1', 'pod_1', 'pod_2'];

const whole: KeyPrincipal = {
  kind: 'key',
  scope: { organization_id: 'org_1' },
  api_key_id: 'key_1',
  keyid: 'thumbprint',
};
const ofPod = { ...whole, scope: { organization_id: 'org_1', pod_id: 'pod_1' } };
const ofInbox = { ...whole, scope: { organization_id: 'org_1', pod_id: 'pod_1', inbox: alice } };

async function mint(body?: Call<'auth.token'>['body'], principal: KeyPrincipal = whole) {
  const sealed: TokenClaims[] = [];
  const asked: unknown[] = [];
  const deed = { written: false, line: { resources: [] as string[] } };
  const useCase = mintToken({
    tokens: {
      seal: async (claims) => (sealed.push(claims), 'pht_sealed'),
      open: async () => undefined,
    },
    places: {
      lookUp: async (names) => {
        asked.push(names);
        const inbox = [alice, bob, stranger].find(
          ({ uid, inbox_id }) => uid === names.inbox || inbox_id === names.inbox,
        );
        const pod = pods.find((one) => one === names.pod);
        return { ...(inbox && { inbox }), ...(pod !== undefined && { pod: { pod_id: pod } }) };
      },
    },
    now: () => now,
    ulid: () => '01k',
  });
  const call = { path: {}, query: undefined, body, principal, scope: principal.scope, deed };
  const answer = await useCase(call as unknown as Call<'auth.token'>);
  return { answer, claims: sealed[0]!, asked, line: deed.line };
}

const refused = (...asked: Parameters<typeof mint>): Promise<Problem> =>
  mint(...asked).then(
    () => expect.fail('was minted'),
    (error: unknown) => (error instanceof Problem ? error : expect.fail(String(error))),
  );

describe('a minted token', () => {
  it('is for a quarter of an hour all that its key is, and its line names it', async () => {
    const { answer, claims, asked, line } = await mint();
    expect(tokenAnswer.parse(answer)).toEqual({
      token_id: 'tok_01k',
      token: 'pht_sealed',
      expires_at: '2026-01-31T12:15:00.000Z',
    });
    expect(claims).toEqual({
      token_id: 'tok_01k',
      keyid: 'thumbprint',
      organization_id: 'org_1',
      expires_at: '2026-01-31T12:15:00.000Z',
    });
    expect(asked).toEqual([]);
    expect(line.resources).toEqual(['tok_01k']);
  });

  it('lasts as long as asked, and no longer than its key', async () => {
    expect((await mint({ expires_in: 3600 })).answer.expires_at).toBe('2026-01-31T13:00:00.000Z');
    expect((await mint({ expires_in: 1 })).claims.expires_at).toBe('2026-01-31T12:00:01.000Z');
    const short = { ...whole, expires_at: '2026-01-31T12:05:00Z' };
    expect((await mint({ expires_in: 3600 }, short)).answer.expires_at).toBe('2026-01-31T12:05:00.000Z');
    expect((await mint({ expires_in: 60 }, short)).claims.expires_at).toBe('2026-01-31T12:01:00.000Z');
  });

  it('has the permissions asked for, which are among those of its key', async () => {
    const held = { ...whole, permissions: { message_read: true, inbox_read: true } };
    expect((await mint(undefined, held)).claims.permissions).toEqual(held.permissions);
    expect((await mint({ permissions: { message_read: true } }, held)).claims.permissions).toEqual({
      message_read: true,
    });
    expect((await mint({ permissions: {} }, held)).claims.permissions).toEqual({});
    expect((await mint({ permissions: { pod_create: true } })).claims.permissions).toEqual({
      pod_create: true,
    });
    const problem = await refused({ permissions: { message_read: true, message_send: true } }, held);
    expect(problem).toMatchObject({ code: 'permission_escalation', status: 403 });
    expect(problem.message).toContain('message_send');
    expect(problem.message).not.toContain('message_read');
  });

  it('is narrowed to a pod or an inbox of its key’s scope', async () => {
    expect((await mint({ pod_id: 'pod_1' })).claims).toMatchObject({ pod_id: 'pod_1' });
    expect((await mint({ inbox_id: 'alice@mail.test' })).claims).toMatchObject({
      pod_id: 'pod_1',
      inbox: alice,
    });
    expect((await mint({ inbox_id: 'inb_a', pod_id: 'pod_1' }, ofPod)).claims.inbox).toEqual(alice);
    expect((await mint({ pod_id: 'org_1' })).claims.pod_id).toBe('org_1');
    expect((await mint(undefined, ofPod)).claims).toMatchObject({ pod_id: 'pod_1' });
    expect((await mint(undefined, ofInbox)).claims).toMatchObject({ pod_id: 'pod_1', inbox: alice });
    expect((await mint({ inbox_id: 'inb_a' }, ofInbox)).claims.inbox).toEqual(alice);
  });

  it.each([
    ['a pod that is not there', { pod_id: 'pod_9' }, whole],
    ['another pod', { pod_id: 'pod_2' }, ofPod],
    ['the pod around an inbox', { pod_id: 'pod_1' }, ofInbox],
    ['an inbox that is not there', { inbox_id: 'nobody@mail.test' }, whole],
    ['an inbox of another pod', { inbox_id: 'inb_b' }, ofPod],
    ['an inbox beside the own', { inbox_id: 'inb_b' }, ofInbox],
    ['an inbox that is not in the pod named with it', { inbox_id: 'inb_b', pod_id: 'pod_1' }, whole],
    ['an inbox of another organization', { inbox_id: 'stranger@mail.test' }, whole],
  ])('is not for %s: 404', async (_what, body, principal) => {
    expect(await refused(body, principal)).toMatchObject({ code: 'not_found', status: 404 });
  });

  it('mints no other', async () => {
    expect(await refused(undefined, { ...whole, token_id: 'tok_0' })).toMatchObject({
      code: 'permission_escalation',
    });
  });
});
