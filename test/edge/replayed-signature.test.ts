import { describe, expect, it } from 'vitest';
import { Problem } from '../../lib/contract/problem.ts';
import { httpDoor } from '../../lib/edge/http.ts';
import { createLog } from '../../lib/edge/log.ts';
import { apiEvent, lambdaContext, type Sent } from './api-event.ts';
import { librarySigned } from './library-signer.ts';
import { authentication, headerOf, now, p256, post, withHeaders } from './signing-scene.ts';

/** Order of P-256 (FIPS 186-5). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** With n - s for s: what anybody can make of an ECDSA signature. */
function flipped(sent: Sent): Sent {
  const bytes = Buffer.from(/:(.*):/.exec(headerOf(sent, 'signature'))![1]!, 'base64');
  const s = order - BigInt(`0x${bytes.toString('hex', 32)}`);
  bytes.write(s.toString(16).padStart(64, '0'), 32, 'hex');
  return withHeaders(sent, { signature: `sig=:${bytes.toString('base64')}:` });
}

function setUp() {
  const spent = new Set<string>();
  const door = httpDoor<'inboxes.create'>({
    authenticate: authentication(),
    deeds: {
      settle: async ({ once }) => {
        if (spent.has(once!.key)) throw new Problem('nonce_used', 'this signature was used before');
        spent.add(once!.key);
      },
      commit: async () => ({}),
    },
    ulid: () => '01kg9r7z8j0000000000000000',
    log: createLog(() => {}),
    useCases: {
      'inboxes.create': async () => {
        throw new Problem('conflict', 'refused for its own reasons');
      },
    },
  });
  const codeOf = async (sent: Sent): Promise<unknown> =>
    JSON.parse((await door(apiEvent(sent), lambdaContext)).body!).code;
  return { codeOf };
}

describe('a signed write', () => {
  it('with its signature spelled otherwise is a replay: by s flipped, in base64, under another label', async () => {
    const signed = await librarySigned(p256, post, { now });
    const relabelled = withHeaders(signed, {
      'signature-input': headerOf(signed, 'signature-input').replace(/^sig=/, 'other='),
      signature: headerOf(signed, 'signature').replace(/^sig=/, 'other='),
    });
    const unpadded = withHeaders(signed, { signature: headerOf(signed, 'signature').replace('==:', ':') });
    for (const again of [signed, flipped(signed), relabelled, unpadded]) {
      const { codeOf } = setUp();
      expect(await codeOf(signed)).toBe('conflict');
      expect(await codeOf(again)).toBe('nonce_used');
    }
  });

  it('flipped first spends the nonce of the one it was made of', async () => {
    const { codeOf } = setUp();
    const signed = await librarySigned(p256, post, { now });
    expect(await codeOf(flipped(signed))).toBe('conflict');
    expect(await codeOf(signed)).toBe('nonce_used');
  });

  it('signed anew is none', async () => {
    const { codeOf } = setUp();
    for (let n = 0; n < 2; n++)
      expect(await codeOf(await librarySigned(p256, post, { now }))).toBe('conflict');
  });
});
