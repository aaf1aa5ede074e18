import { describe, expect, it } from 'vitest';
import type { Sent } from './api-event.ts';
import { testKey } from './key-fixture.ts';
import { librarySigned } from './library-signer.ts';
import { get, headerOf, key, now, p256, refusal, verify, withHeaders } from './signing-scene.ts';

const stranger = testKey();

/** The headers of both, as API Gateway joins those that were sent twice. */
const joined = (first: Sent, second: Sent): Sent =>
  withHeaders(first, {
    'signature-input': `${headerOf(first, 'signature-input')},${headerOf(second, 'signature-input')}`,
    signature: `${headerOf(first, 'signature')},${headerOf(second, 'signature')}`,
  });

const spoilt = (sent: Sent): Sent =>
  withHeaders(sent, { signature: headerOf(sent, 'signature').replace(/:.{4}/, ':AAAA') });

describe('of several signatures in one request', () => {
  it('any that satisfies will do', async () => {
    const first = await librarySigned(stranger, get, { now, label: 'proxy' });
    const both = await librarySigned(key, first, { now, label: 'mine' });
    expect((await verify(both)).principal.api_key_id).toBe(key.credential.api_key_id);
    expect((await refusal(first)).code).toBe('unknown_api_key');
  });

  it('a good one is found after a bad, an unreadable, an old and a lonely one', async () => {
    const good = await librarySigned(p256, get, { now, label: 'good' });
    const bad = spoilt(await librarySigned(key, get, { now, label: 'bad' }));
    const old = await librarySigned(key, get, { now: now - 3_600_000, label: 'old' });
    const unreadable = withHeaders(get, { 'signature-input': 'b=1', signature: 'b=:AA==:' });
    const lonely = withHeaders(get, { 'signature-input': 'c=("@method")', signature: 'd=:AA==:' });
    for (const first of [bad, old, unreadable, lonely])
      expect((await verify(joined(first, good))).principal.api_key_id).toBe(p256.credential.api_key_id);
  });

  it('the first is the caller where two are good, and its nonce is spent', async () => {
    const sent = { ...get, method: 'DELETE' };
    const one = await librarySigned(key, sent, { now, label: 'one', values: { nonce: 'x' } });
    const two = await librarySigned(p256, sent, { now, label: 'two', values: { nonce: 'x' } });
    const [alone, both, turned] = [
      await verify(one),
      await verify(joined(one, two)),
      await verify(joined(two, one)),
    ];
    expect([both.principal.api_key_id, both.once?.key]).toEqual([key.credential.api_key_id, alone.once?.key]);
    expect(turned.principal.api_key_id).toBe(p256.credential.api_key_id);
  });

  it('where none is good, the refusal is that of the first', async () => {
    const unknown = await librarySigned(stranger, get, { now, label: 'unknown' });
    const bad = spoilt(await librarySigned(key, get, { now, label: 'bad' }));
    expect((await refusal(joined(unknown, bad))).code).toBe('unknown_api_key');
    expect((await refusal(joined(bad, unknown))).code).toBe('invalid_signature');
  });

  it('not one counts where there are more than four, and four do', async () => {
    const signatures = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((label, place) =>
        librarySigned(place === 3 ? key : stranger, get, { now, label }),
      ),
    );
    await verify(signatures.slice(0, 4).reduce(joined));
    expect((await refusal(signatures.reduce(joined))).message).toContain('more than 4');
  });

  it('two of one label are refused, in whichever header and order', async () => {
    const good = await librarySigned(key, get, { now });
    const other = await librarySigned(stranger, get, { now });
    for (const twice of [joined(good, other), joined(other, good), joined(good, good)]) {
      const problem = await refusal(twice);
      expect([problem.code, problem.message]).toEqual(['invalid_signature', 'Signature-Input has sig twice']);
    }
    const signature = `${headerOf(other, 'signature')}, ${headerOf(good, 'signature')}`;
    expect((await refusal(withHeaders(good, { signature }))).message).toBe('Signature has sig twice');
  });

  it('a signature without an input says nothing', async () => {
    const good = await librarySigned(key, get, { now });
    await verify(withHeaders(good, { signature: `other=:AAAA:, ${headerOf(good, 'signature')}` }));
  });
});
