import { describe, expect, it } from 'vitest';
import { cachedDirectory } from '../../lib/edge/directory-cache.ts';
import type { Looked } from '../../lib/edge/directory.ts';
import { testKey } from './key-fixture.ts';

const { credential } = testKey();
const inbox = { uid: 'u', inbox_id: 'a@b', organization_id: 'org_1', pod_id: 'p' };

function setUp(answer: (inbox?: string) => Looked, options: { entries?: number } = {}) {
  const clock = { now: 1000 };
  const asked: string[] = [];
  let took = 0;
  const directory = {
    lookUp: async (what: { keyid: string; inbox?: string }) => (
      asked.push(`${what.keyid} ${what.inbox ?? ''}`),
      (clock.now += took),
      answer(what.inbox)
    ),
    touch: async () => {},
  };
  const cache = cachedDirectory(directory, { now: () => clock.now, ...options });
  return { cache, clock, asked, take: (milliseconds: number) => (took = milliseconds) };
}

describe('the directory’s cache', () => {
  it('keeps an answer for less than five seconds from when it was asked for', async () => {
    const { cache, clock, asked, take } = setUp(() => ({ credential }));
    take(400);
    await cache.lookUp({ keyid: 'k' }, 'read');
    take(0);
    clock.now = 1000 + 4999;
    await cache.lookUp({ keyid: 'k' }, 'read');
    expect(asked).toHaveLength(1);
    clock.now = 1000 + 5000;
    await cache.lookUp({ keyid: 'k' }, 'read');
    expect(asked).toHaveLength(2);
  });
  it('answers no write, but learns from it', async () => {
    let state: 'active' | 'revoked' = 'active';
    const { cache, asked } = setUp(() => ({ credential: { ...credential, state } }));
    await cache.lookUp({ keyid: 'k' }, 'read');
    state = 'revoked';
    expect((await cache.lookUp({ keyid: 'k' }, 'write')).credential?.state).toBe('revoked');
    expect((await cache.lookUp({ keyid: 'k' }, 'read')).credential?.state).toBe('revoked');
    expect(asked).toHaveLength(2);
  });
  it('keeps nothing that is missing: a new key and a new inbox are seen at once', async () => {
    let known: Looked = {};
    const { cache } = setUp(() => known);
    expect(await cache.lookUp({ keyid: 'k' }, 'read')).toEqual({});
    known = { credential };
    expect(await cache.lookUp({ keyid: 'k', inbox: 'a@b' }, 'read')).toEqual({ credential });
    known = { credential, inbox };
    expect(await cache.lookUp({ keyid: 'k', inbox: 'a@b' }, 'read')).toEqual({ credential, inbox });
    known = {};
    await cache.lookUp({ keyid: 'k', inbox: 'a@b' }, 'write');
    expect(await cache.lookUp({ keyid: 'k', inbox: 'a@b' }, 'read')).toEqual({});
  });
  it('keeps nothing where the pod is missing, and tells pods apart', async () => {
    let known: Looked = { credential };
    const { cache, asked } = setUp(() => known);
    expect(await cache.lookUp({ keyid: 'k', pod: 'p' }, 'read')).toEqual({ credential });
    known = { credential, pod: { pod_id: 'p' } };
    expect(await cache.lookUp({ keyid: 'k', pod: 'p' }, 'read')).toEqual(known);
    await cache.lookUp({ keyid: 'k', pod: 'p' }, 'read');
    expect(asked).toHaveLength(2);
    await cache.lookUp({ keyid: 'k', pod: 'q' }, 'read');
    await cache.lookUp({ keyid: 'k', inbox: 'p' }, 'read');
    expect(asked).toHaveLength(4);
  });
  it.each([
    ['an inbox of another organization', {}, { inbox: { ...inbox, organization_id: 'org_2' } }],
    ['an inbox of another pod', { pod_id: 'q' }, { inbox }],
    ['an inbox of another pod than the path names', {}, { inbox, pod: { pod_id: 'q' } }],
    ['another inbox', { pod_id: 'p', inbox: { uid: 'v', inbox_id: 'b@b' } }, { inbox }],
    ['another pod', { pod_id: 'p' }, { pod: { pod_id: 'q' } }],
    [
      'the pod around the inbox',
      { pod_id: 'q', inbox: { uid: 'v', inbox_id: 'b@b' } },
      { pod: { pod_id: 'q' } },
    ],
  ])('keeps nothing of what is out of the key’s scope: %s', async (_, own, named) => {
    const { cache, asked } = setUp(() => ({ credential: { ...credential, ...own }, ...named }));
    const names = { ...('inbox' in named && { inbox: 'a@b' }), ...('pod' in named && { pod: 'q' }) };
    for (let n = 0; n < 3; n++) await cache.lookUp({ keyid: 'k', ...names }, 'read');
    expect(asked).toHaveLength(3);
  });
  it('keeps for a token only what is in its own scope, whatever its key was told', async () => {
    const { cache, asked } = setUp(() => ({ credential, inbox }));
    const read = (pod_id?: string) =>
      cache.lookUp(
        { keyid: 'k', inbox: 'a@b' },
        'read',
        pod_id === undefined ? undefined : { organization_id: 'org_1', pod_id },
      );
    for (let n = 0; n < 2; n++) await read();
    expect(asked).toHaveLength(1);
    for (let n = 0; n < 2; n++) await read('q');
    expect(asked).toHaveLength(3);
    for (let n = 0; n < 2; n++) await read('p');
    expect(asked).toHaveLength(4);
  });
  it('tells keys and inboxes apart, and forgets the oldest', async () => {
    const { cache, asked } = setUp(() => ({ credential, inbox }), { entries: 2 });
    for (const name of ['a', 'b', 'c', 'a', 'c']) await cache.lookUp({ keyid: 'k', inbox: name }, 'read');
    expect(asked).toEqual(['k a', 'k b', 'k c', 'k a']);
  });
});
