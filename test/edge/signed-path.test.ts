import { describe, expect, it } from 'vitest';
import { Problem } from '../../lib/contract/problem.ts';
import { readRequest } from '../../lib/edge/http-request.ts';
import { apiEvent } from './api-event.ts';
import { librarySigned } from './library-signer.ts';
import { authentication, get, key, now, origin, ownSigned, read, refusal, verify } from './signing-scene.ts';

describe('the path', () => {
  const spelled: [string, string][] = [
    ['%40', `${origin}/v0/inboxes/alice%40mail.example.com`],
    ['@', `${origin}/v0/inboxes/alice@mail.example.com`],
    ['%2B', `${origin}/v0/inboxes/alice%2Btag%40mail.example.com`],
    ['+ and @', `${origin}/v0/inboxes/alice+tag@mail.example.com`],
    [
      '+ and @ with a query',
      `${origin}/v0/inboxes/alice+tag@mail.example.com/messages?labels=a%2Bb&labels=%5B%22x%22%5D`,
    ],
    ['a space', `${origin}/v0/inboxes/al%20ice@mail.example.com`],
    ['a space and %40', `${origin}/v0/inboxes/al%20ice%40mail.example.com`],
    ['unicode', `${origin}/v0/inboxes/j%C3%BCrgen@mail.example.com`],
    ['unicode and %40', `${origin}/v0/inboxes/%E2%9C%89%F0%9F%93%AC%40mail.example.com`],
    ['sub-delims', `${origin}/v0/inboxes/a!$&'()*,;=:b@mail.example.com`],
    ['sub-delims encoded', `${origin}/v0/inboxes/a!%24%26'()*%2C%3B%3D%3Ab%40mail.example.com`],
    ['an empty query', `${origin}/v0/inboxes?`],
    [
      'one way in many segments',
      `${origin}/v0/pods/a%2Bb@c/inboxes/d%2Be@f/messages/g%2Bh@i/attachments/j%2Bk@l`,
    ],
    ['brackets as given', `${origin}/v0/inboxes/[a]|b@mail.example.com`],
  ];
  for (const [name, url] of spelled) {
    it(`spelled with ${name} verifies by both signers`, async () => {
      await verify(await librarySigned(key, { url }, { now }));
      await verify(await ownSigned({ url }));
    });
  }
  it('with ? # or % in it passes for no other URI', async () => {
    for (const [signed, decoded] of [
      [`${origin}/v0/inboxes?limit=5`, '/v0/inboxes?limit=5'],
      [`${origin}/v0/inboxes/a%40b`, '/v0/inboxes/a%40b'],
    ] as const) {
      const { headers } = apiEvent(await ownSigned({ url: signed }));
      const event = { ...apiEvent({ url: `${origin}/` }), rawPath: decoded, headers };
      const authenticate = authentication();
      await expect(authenticate(readRequest(event), read, event)).rejects.toThrow('does not match');
    }
  });
  it('that no client can have sent is refused, not stumbled over', async () => {
    const { headers } = apiEvent(await ownSigned(get));
    for (const rawPath of ['/\ud800', '/v0\n"@method": GET', '', 'x']) {
      const event = { ...apiEvent(get), rawPath, headers };
      const authenticate = authentication();
      await expect(authenticate(readRequest(event), read, event)).rejects.toBeInstanceOf(Problem);
    }
  });
  it('and the query count as they are: order and encoding', async () => {
    const signed = await ownSigned({ url: `${origin}/v0/inboxes?a=1&b=%20` });
    await verify(signed);
    for (const query of ['b=%20&a=1', 'a=1&b=+', 'a=1&b=%20&', 'a=1', '']) {
      expect((await refusal({ ...signed, url: `${origin}/v0/inboxes?${query}` })).code).toBe(
        'invalid_signature',
      );
    }
  });
});
