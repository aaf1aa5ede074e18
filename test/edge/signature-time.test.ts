import { describe, expect, it } from 'vitest';
import { librarySigned } from './library-signer.ts';
import { get, handSigned, inputOf, now, ownSigned, p256, refusal, verify } from './signing-scene.ts';

const seconds = now / 1000;

describe('the time of a signature', () => {
  it('alg and expires are honoured where they are right', async () => {
    const params = ['created', 'expires', 'nonce', 'keyid', 'alg'];
    const signed = await librarySigned(p256, get, {
      now,
      params,
      values: { alg: 'ecdsa-p256-sha256', expires: new Date(now + 10_000) },
    });
    await verify(signed);
    await verify(signed, { at: now + 9_999 });
    expect((await refusal(signed, { at: now + 10_000 })).code).toBe('signature_expired');
  });

  it('lies in a window of five minutes on both sides, to the second', async () => {
    const signed = await ownSigned(get);
    await verify(signed, { at: now + 300_999 });
    await verify(signed, { at: now - 300_000 });
    const old = await refusal(signed, { at: now + 301_000 });
    const early = await refusal(signed, { at: now - 300_001 });
    expect([old.code, early.code]).toEqual(['signature_expired', 'signature_expired']);
    expect(early.message).toContain('future');
  });

  it('is answered with the server’s, in seconds and as a date', async () => {
    const problem = await refusal(await ownSigned(get), { at: now + 301_500 });
    expect(problem.message).toBe(
      `the signature is older than 300 seconds; the server's time is ${seconds + 301} (2026-01-31T12:05:01Z)`,
    );
    expect([problem.status, problem.detail.fix]).toEqual([401, expect.stringContaining('clock')]);
  });

  it('does not outlive the window by a late expires', async () => {
    const signed = await handSigned(get, inputOf(`;expires=${seconds + 86_400}`));
    await verify(signed, { at: now + 300_000 });
    expect((await refusal(signed, { at: now + 301_000 })).code).toBe('signature_expired');
  });

  it.each([-1, 0])('with expires %i seconds after created is refused as nonsense', async (after) => {
    // Created in the server's future, so that it has not expired yet.
    const signed = await handSigned(get, inputOf(`;expires=${seconds + 100 + after}`, seconds + 100));
    expect(await refusal(signed)).toMatchObject({
      code: 'invalid_signature',
      message: 'expires is not after created',
    });
  });

  it.each([
    '"1"',
    '-1',
    `-${seconds}`,
    `${seconds}.0`,
    `${seconds}.5`,
    `0${seconds}`,
    '?1',
    'now',
    '""',
    ':AA==:',
  ])('written as %s is none, though it is signed', async (created) => {
    for (const input of [inputOf('', created), inputOf(`;expires=${created}`)])
      expect(await refusal(await handSigned(get, input))).toMatchObject({
        code: 'invalid_signature',
        message: expect.stringContaining('is not a time') as string,
      });
  });

  it('that is huge is the future, or no number at all', async () => {
    expect((await refusal(await handSigned(get, inputOf('', '999999999999999')))).code).toBe(
      'signature_expired',
    );
    expect((await refusal(await handSigned(get, inputOf('', '9999999999999999')))).message).toContain(
      'structured-field',
    );
  });
});
