import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../lib/contract/problem.ts';
import type { HttpRequest } from '../../lib/edge/http-request.ts';
import { readRequest } from '../../lib/edge/http-request.ts';
import { apiEvent } from './api-event.ts';
import { librarySigned } from './library-signer.ts';
import { authentication, key, now, origin } from './signing-scene.ts';

const authenticate = authentication();
const event = apiEvent({ url: origin });

const outcome = (request: HttpRequest): Promise<unknown> =>
  authenticate(request, { purpose: 'write' }, event).then(
    () => 'accepted',
    (error: unknown) => error,
  );

const signed = readRequest(
  apiEvent(
    await librarySigned(
      key,
      {
        method: 'POST',
        url: `${origin}/v0/inboxes/alice@mail.example.com?x=1&y=%2B`,
        headers: { 'content-type': 'application/json' },
        body: '{"display_name":"Alice"}',
      },
      { now, fields: ['@method', '@target-uri', 'content-digest', 'content-type'] },
    ),
  ),
);

/** One character of a text replaced, left out or put in. */
const edit = fc.record({
  at: fc.nat(),
  char: fc.oneof(
    fc.constant(''),
    fc.string({ minLength: 1, maxLength: 1 }),
    fc.constantFrom('"', ';', ',', '(', ')', ':', '=', '@', '%', '/'),
  ),
  insert: fc.boolean(),
});
const edited = (
  text: string,
  { at, char, insert }: { at: number; char: string; insert: boolean },
): string => {
  const place = at % (text.length + 1);
  return text.slice(0, place) + char + text.slice(place + (insert ? 0 : 1));
};
const withHeader = (name: string, value: string): HttpRequest => ({
  ...signed,
  headers: { ...signed.headers, [name]: value },
});

describe('a signed request', () => {
  it('is accepted as it is', async () => expect(await outcome(signed)).toBe('accepted'));

  it('is refused after any edit of what is signed', async () => {
    const part = fc.constantFrom('method', 'path', 'query', 'body', 'content-type', 'content-digest');
    await fc.assert(
      fc.asyncProperty(part, edit, async (name, change) => {
        const before =
          name === 'body'
            ? signed.body.toString('latin1')
            : name in signed.headers
              ? signed.headers[name]!
              : signed[name as 'path'];
        const after = edited(before, change);
        // Field values are compared without the white space around them, methods without case.
        if (after.trim() === before || after.toUpperCase() === before) return;
        const request =
          name === 'body'
            ? { ...signed, body: Buffer.from(after) }
            : name in signed.headers
              ? withHeader(name, after)
              : { ...signed, [name]: after };
        expect(await outcome(request)).toBeInstanceOf(Problem);
      }),
      { numRuns: 600 },
    );
  });

  it('is refused after any edit of the signature that says something else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('signature', 'signature-input'), edit, async (name, change) => {
        const before = signed.headers[name]!;
        const after = edited(before, change);
        const same =
          name === 'signature'
            ? bytesOf(after) === bytesOf(before)
            : after.replace(/\s+/g, '') === before.replace(/\s+/g, '');
        if (same) return;
        expect(await outcome(withHeader(name, after))).toBeInstanceOf(Problem);
      }),
      { numRuns: 600 },
    );
  });

  it('of any content is answered with a Problem and nothing else', async () => {
    const header = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(
        /^[a-z]=\(("[@a-z-]+"( |;[a-z]=?)?){0,4}\)(;[a-z]+=("[a-z]*"|[0-9]{1,16}|:[A-Za-z=]*:|\?1|@1|%"x")){0,5}$/,
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        header,
        header,
        header,
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        async (input, signature, digest, path, query) => {
          const headers = {
            ...signed.headers,
            'signature-input': input,
            signature,
            'content-digest': digest,
          };
          expect(await outcome({ ...signed, headers, path: `/${path}`, query })).toBeInstanceOf(Problem);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

/** Base64 leaves bits of its last character unused: two spellings can be the same bytes. */
const bytesOf = (header: string): string => {
  const found = /^sig=:([^:]*):$/.exec(header.replace(/\s+/g, ''))?.[1];
  return found === undefined ? header : Buffer.from(found, 'base64').toString('hex');
};
