import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../lib/contract/problem.ts';
import { readRequest, type HttpRequest } from '../../lib/edge/http-request.ts';
import { apiEvent } from './api-event.ts';
import { librarySigned } from './library-signer.ts';
import { authentication, key, now, origin, p256 } from './signing-scene.ts';

const authenticate = authentication();
const event = apiEvent({ url: origin });
const outcome = (request: HttpRequest): Promise<unknown> =>
  authenticate(request, { purpose: 'write' }, event).then(
    () => 'accepted',
    (error: unknown) => error,
  );

const requestBy = async (signer: typeof key): Promise<HttpRequest> =>
  readRequest(
    apiEvent(
      await librarySigned(
        signer,
        {
          method: 'POST',
          url: `${origin}/v0/inboxes/al+ice%40mail.example.com/messages?limit=5&labels=a%2Bb`,
          headers: { 'content-type': 'application/json', 'X-Request': 'first, "second"' },
          body: '{"subject":"Two lamps"}',
        },
        {
          now,
          fields: ['@method', '@target-uri', 'content-digest', 'content-type', 'x-request'],
          params: ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'],
          values: { tag: 'posthorn', expires: new Date(now + 60_000) },
        },
      ),
    ),
  );
const requests = { ed25519: await requestBy(key), p256: await requestBy(p256) };

const segments = requests.ed25519.path.slice(1).split('/');
const parts = [
  'method',
  'query',
  'body',
  ...segments.map((_, place) => `segment ${place}`),
  'content-type',
  'x-request',
  'content-digest',
  'signature-input',
  'signature',
] as const;

/** The text of a part, and the request with another one. */
function partOf(request: HttpRequest, part: string): [string, (text: string) => HttpRequest] {
  if (part === 'body')
    return [request.body.toString('latin1'), (text) => ({ ...request, body: Buffer.from(text, 'latin1') })];
  if (part.startsWith('segment ')) {
    const all = request.path.slice(1).split('/');
    const place = Number(part.slice(8));
    return [all[place]!, (text) => ({ ...request, path: `/${all.with(place, text).join('/')}` })];
  }
  if (part === 'method' || part === 'query') return [request[part], (text) => ({ ...request, [part]: text })];
  return [request.headers[part]!, (text) => ({ ...request, headers: { ...request.headers, [part]: text } })];
}

/** Two texts that HTTP and RFC 8941 take for one: case of a method, white space, spare bits of base64. */
function same(part: string, one: string, other: string): boolean {
  if (part === 'method') return one.toUpperCase() === other.toUpperCase();
  if (part === 'signature') return bytesOf(one) === bytesOf(other);
  if (part === 'signature-input') return one.replace(/[ \t]+/g, '') === other.replace(/[ \t]+/g, '');
  return part.includes('-') && one.replace(/^[ \t]+|[ \t]+$/g, '') === other.replace(/^[ \t]+|[ \t]+$/g, '');
}
function bytesOf(header: string): string {
  const found = /^[a-z*][a-z0-9_.*-]*=:([A-Za-z0-9+/]*={0,2}):[ \t]*$/.exec(header)?.[1];
  return found === undefined
    ? header
    : `${header.split('=')[0]} ${Buffer.from(found, 'base64').toString('hex')}`;
}

describe('a signed request', () => {
  for (const [name, request] of Object.entries(requests)) {
    it(`is accepted as it is: ${name}`, async () => {
      expect(await outcome(request)).toBe('accepted');
      for (const part of parts) {
        const [text, put] = partOf(request, part);
        expect(await outcome(put(text))).toBe('accepted');
      }
    });

    it(`with any byte of any covered part changed, left out or put in is refused: ${name}`, async () => {
      const change = fc.record({
        part: fc.constantFrom(...parts),
        at: fc.nat(),
        byte: fc.oneof(
          fc.nat(255),
          fc.constantFrom(...[...' \t",;:=()@%/+?#\\0AZaz'].map((c) => c.charCodeAt(0))),
        ),
        how: fc.constantFrom('change', 'change', 'leave out', 'put in'),
      });
      await fc.assert(
        fc.asyncProperty(change, async ({ part, at, byte, how }) => {
          const [text, put] = partOf(request, part);
          const place = at % (text.length + (how === 'put in' ? 1 : 0));
          const added = how === 'leave out' ? '' : String.fromCharCode(byte);
          const other = text.slice(0, place) + added + text.slice(place + (how === 'put in' ? 0 : 1));
          fc.pre(other !== text && !same(part, text, other));
          expect(await outcome(put(other))).toBeInstanceOf(Problem);
        }),
        { numRuns: 1000 },
      );
    });
  }

  it('with any one bit of its signature or its digest changed is refused, each in turn', async () => {
    const request = requests.ed25519;
    for (const part of ['signature', 'content-digest']) {
      const [text, put] = partOf(request, part);
      const [, before, digits] = /^(.*?=:)(.*):$/.exec(text)!;
      const bytes = Buffer.from(digits!, 'base64');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const other = Buffer.from(bytes);
        other[bit >> 3]! ^= 1 << (bit & 7);
        expect(await outcome(put(`${before}${other.toString('base64')}:`))).toBeInstanceOf(Problem);
      }
    }
  });

  it('is refused with a part of another request that is signed too', async () => {
    for (const part of parts) {
      const [one] = partOf(requests.ed25519, part);
      const [other, put] = partOf(requests.p256, part);
      const answer = await outcome(partOf(requests.ed25519, part)[1](other));
      if (one === other) expect(answer).toBe('accepted');
      else expect(answer).toBeInstanceOf(Problem);
      expect(await outcome(put(other))).toBe('accepted');
    }
  });
});

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'ab@+%?#&=;, \'"<>[]|~!*()$:'),
    fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme' }),
  ),
  maxLength: 12,
});
const asSegment = fc.constantFrom<(text: string) => string>(
  encodeURIComponent,
  (plain) => encodeURIComponent(plain).replaceAll('%40', '@'),
  (plain) => encodeURIComponent(plain).replaceAll('%2B', '+'),
  // What RFC 3986 §3.3 allows to stand.
  (plain) =>
    encodeURIComponent(plain).replace(/%(21|24|26|27|28|29|2A|2B|2C|3B|3D|3A|40)/g, decodeURIComponent),
);
const path = fc
  .tuple(
    fc.array(
      text.filter((one) => one.isWellFormed() && !/^\.{1,2}$|\//.test(one)),
      { maxLength: 4 },
    ),
    asSegment,
  )
  .map(([all, write]) => `/v0/${all.map(write).join('/')}`);
const query = fc.oneof(
  fc.constant(''),
  fc.stringMatching(/^\?([A-Za-z0-9._~!$&()*+,;=:@/?[\]-]|%[0-9A-F]{2}){1,30}$/),
);
const extra = fc.uniqueArray(
  fc.tuple(fc.stringMatching(/^X-[A-Za-z0-9-]{1,8}$/), fc.stringMatching(/^[\t -~]{0,30}$/)),
  { maxLength: 4, selector: ([name]) => name.toLowerCase() },
);
const request = fc.record({
  signer: fc.constantFrom(key, p256),
  method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
  path,
  query,
  body: fc.oneof(fc.constant(undefined), fc.string(), fc.uint8Array({ maxLength: 200 })),
  digest: fc.constantFrom('sha-256' as const, 'sha-512' as const),
  extra,
  derived: fc.subarray(['@authority', '@scheme', '@path', '@query', '@request-target']),
  nonce: fc.stringMatching(/^[ -~]{1,64}$/),
  tag: fc.option(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), { nil: undefined }),
});

describe('whatever the library signs', () => {
  it('verifies: any path, query, body and covered headers, by both kinds of keys', async () => {
    await fc.assert(
      fc.asyncProperty(request, async ({ signer, method, body, digest, derived, nonce, tag, ...sent }) => {
        const covered = [...derived, ...sent.extra.map(([name]) => name.toLowerCase())];
        const withBody = body !== undefined && body.length > 0;
        const signed = await librarySigned(
          signer,
          {
            method,
            url: `${origin}${sent.path}${sent.query}`,
            headers: Object.fromEntries(sent.extra),
            ...(body !== undefined && { body }),
          },
          {
            now,
            digest,
            fields: ['@target-uri', ...covered, ...(withBody ? ['content-digest'] : []), '@method'],
            params: ['tag', 'keyid', 'nonce', 'created'],
            values: { nonce, ...(tag !== undefined && { tag }) },
          },
        );
        expect(await outcome(readRequest(apiEvent(signed)))).toBe('accepted');
      }),
      { numRuns: 500 },
    );
  });
});
