import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../lib/contract/problem.ts';
import { checkContentDigest } from '../../lib/edge/content-digest.ts';
import { librarySigned } from './library-signer.ts';
import {
  get,
  handSigned,
  headerOf,
  key,
  now,
  ownSigned,
  post,
  refusal,
  verify,
  withHeaders,
} from './signing-scene.ts';

describe('the body', () => {
  for (const digest of ['sha-256', 'sha-512'] as const) {
    it(`is held to its ${digest} digest, text or bytes`, async () => {
      const signed = await librarySigned(key, post, { now, digest });
      await verify(signed);
      await verify({ ...signed, body: Buffer.from(post.body as string) });
      const problem = await refusal({ ...signed, body: '{"username":"malory"}' });
      expect(problem.code).toBe('invalid_signature');
      expect(problem.message).toContain(`${digest} is not the digest of the body`);
    });
  }
  it('has to match all its known digests, unknown ones aside', async () => {
    const right = (await librarySigned(key, post, { now })).headers!['content-digest']!;
    expect(() => checkContentDigest(`md5=:AAAA:, ${right}`, Buffer.from(post.body!))).not.toThrow();
    expect(() => checkContentDigest(`${right}, sha-512=:AAAA:`, Buffer.from(post.body!))).toThrow('sha-512');
    for (const header of ['md5=:AAAA:', '', 'sha-256=1', 'sha-256=(:AA==:)', 'sha-256', '{}']) {
      expect(() => checkContentDigest(header, Buffer.from(post.body!))).toThrow(Problem);
    }
  });
  it('without a covered digest is refused', async () => {
    const signed = await librarySigned(key, post, { now, fields: ['@method', '@target-uri'] });
    expect((await refusal(signed)).message).toContain('does not cover content-digest');
  });
  it('slipped under a signature without one is refused', async () => {
    expect((await refusal({ ...(await ownSigned(get)), body: '{}' })).message).toContain('content-digest');
  });
  it('taken away from a signature with one is refused', async () => {
    const { body: _, ...bare } = await ownSigned(post);
    expect((await refusal(bare)).code).toBe('invalid_signature');
  });

  describe('with several digests', () => {
    const body = Buffer.from(post.body!);
    const digest = (name: 'sha-256' | 'sha-512', bytes: Uint8Array = body): string =>
      `${name}=:${createHash(name.replace('-', '')).update(bytes).digest('base64')}:`;
    const other = Buffer.from('{"username":"malory"}');

    it('is right by all of them or refused', () => {
      checkContentDigest(`${digest('sha-256')},${digest('sha-512')}`, body);
      for (const [one, two] of [
        [digest('sha-256', other), digest('sha-512')],
        [digest('sha-256'), digest('sha-512', other)],
      ])
        for (const header of [`${one},${two}`, `${two}, ${one}`])
          expect(() => checkContentDigest(header, body)).toThrow('is not the digest of the body');
    });

    it('of one algorithm is refused, whichever is right and however they came', async () => {
      for (const header of [
        `${digest('sha-256', other)},${digest('sha-256')}`,
        `${digest('sha-256')}, ${digest('sha-256', other)}`,
        `${digest('sha-256')},${digest('sha-256')}`,
        `${digest('sha-256')};a;a`,
      ])
        expect(() => checkContentDigest(header, body)).toThrow('twice');
      const twice = `${digest('sha-256', other)},${digest('sha-256')}`;
      const input = `("@method" "@target-uri" "content-digest");created=${now / 1000};nonce="n";keyid="${key.keyid}"`;
      const lines = [`"@method": POST`, `"@target-uri": ${post.url}`, `"content-digest": ${twice}`];
      const signed = await handSigned(withHeaders(post, { 'content-digest': twice }), input, { lines });
      expect((await refusal(signed)).message).toBe('Content-Digest has sha-256 twice');
    });

    it('is not judged by those that are not known, which do not do alone', () => {
      checkContentDigest(`md5=:AAAA:, ${digest('sha-512')}, unixsum=1`, body);
      for (const header of ['md5=:AAAA:', 'sha=:AAAA:, crc32c=:AAAA:', `x${digest('sha-256')}`])
        expect(() => checkContentDigest(header, body)).toThrow('no digest this server knows');
    });

    it('has their names in lower case and their bytes whole', () => {
      for (const header of [
        digest('sha-256').replace('sha', 'SHA'),
        digest('sha-256').replace(/.{8}=:$/, ':'),
        digest('sha-256').replace('sha-256', 'sha-512'),
        digest('sha-256').replaceAll(':', '"'),
        `${digest('sha-256')},`,
        `${digest('sha-256')} x`,
      ])
        expect(() => checkContentDigest(header, body)).toThrow(Problem);
    });
  });

  it('that is empty may have the digest of nothing, and no other', async () => {
    const nothing = `sha-256=:${createHash('sha256').digest('base64')}:`;
    const fields = ['@method', '@target-uri', 'content-digest'];
    const empty = withHeaders(get, { 'content-digest': nothing });
    await verify(await librarySigned(key, empty, { now, fields }));
    await verify(withHeaders(await ownSigned(get), { 'content-digest': nothing }));
    const wrong = withHeaders(get, { 'content-digest': 'sha-256=:AAAA:' });
    expect((await refusal(await librarySigned(key, wrong, { now, fields }))).message).toContain('sha-256');
    expect((await refusal(withHeaders(await ownSigned(get), wrong.headers!))).message).toContain('sha-256');
  });

  it('with a digest that is not covered is refused, though the digest is right', async () => {
    const signed = await librarySigned(key, post, { now, fields: ['@method', '@target-uri'] });
    expect(headerOf(signed, 'content-digest')).toBeTruthy();
    expect((await refusal(signed)).message).toContain('does not cover content-digest');
  });

  it('with the digest of another that is covered and signed is refused', async () => {
    const signed = await librarySigned(key, { ...post, body: '{"username":"malory"}' }, { now });
    expect((await refusal({ ...signed, body: post.body! })).message).toContain('not the digest of the body');
  });

  it('cannot be exchanged together with its digest', async () => {
    const [mine, other] = [await ownSigned(post), await ownSigned({ ...post, body: '{}' })];
    const exchanged = withHeaders(
      { ...mine, body: '{}' },
      { 'content-digest': headerOf(other, 'content-digest') },
    );
    expect((await refusal(exchanged)).message).toContain('does not match');
  });
});
