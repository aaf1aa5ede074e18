import { describe, expect, it } from 'vitest';
import { cachedDirectory } from '../../lib/edge/directory-cache.ts';
import type { Looked } from '../../lib/edge/directory.ts';
import { testKey } from './key-fixture.ts';

const { credential } = testKey();
const inbox = { uid: 'u', inbox_id: 'a@b', organization_id: 'o', pod_id: 'o' };

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
  it('tells keys and inboxes apart, and forgets the oldest', async () => {
    const { cache, asked } = setUp(() => ({ credential, inbox }), { entries: 2 });
    for (const name of ['a', 'b', 'c', 'a', 'c']) await cache.lookUp({ keyid: 'k', inbox: name }, 'read');
    expect(asked).toEqual(['k a', 'k b', 'k c', 'k a']);
  });
});
