import { signatureClaims } from '../../lib/edge/signature-claim.ts';
import { readRequest, type HttpRequest } from '../../lib/edge/http-request.ts';
import { checkClaim, verifySignature } from '../../lib/edge/signature.ts';
import type { PublicJwk } from '../../lib/contract/credential.ts';
import { apiEvent, type Sent } from '../edge/api-event.ts';
import { testKey } from '../edge/key-fixture.ts';
import { librarySigned } from '../edge/library-signer.ts';

const origin = 'https://mail.example.com';
/** As a client spells it: the API hands it over decoded, and the verifier has to find the spelling that was signed. */
const path = '/v0/inboxes/brisk-otter-4821%40mail.example.com/messages';
const requests: Record<string, Sent> = {
  'a list with a query': { method: 'GET', url: `${origin}${path}?limit=20&labels=unread` },
  'a write of 1 KB': {
    method: 'POST',
    url: `${origin}${path}/send`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'A line of a mail. '.repeat(56) }),
  },
};

export interface Verification {
  name: string;
  /** Milliseconds of CPU for one, at the median and at the 95th percentile of batches. */
  median: number;
  slow: number;
}

const batch = 50;
const batches = 40;

/** What it takes to check one signature: parsing the headers, the digest of the body, the base, the key's own check. */
export async function measureVerification(): Promise<Verification[]> {
  const rows: Verification[] = [];
  for (const kind of ['ed25519', 'p256'] as const) {
    const key = testKey(kind);
    for (const [what, sent] of Object.entries(requests)) {
      const now = Date.now();
      const request = readRequest(apiEvent(await librarySigned(key, sent, { now })));
      const verify = () => verifyOnce(request, key.credential.public_key!, now);
      const times: number[] = [];
      // The first batches warm the compiler.
      for (let n = -10; n < batches; n++) {
        const before = process.cpuUsage();
        for (let one = 0; one < batch; one++) await verify();
        const { user, system } = process.cpuUsage(before);
        if (n >= 0) times.push((user + system) / 1000 / batch);
      }
      times.sort((a, b) => a - b);
      const name = `${kind === 'p256' ? 'P-256' : 'Ed25519'}, ${what}`;
      rows.push({ name, median: times[batches / 2]!, slow: times[Math.floor(batches * 0.95)]! });
    }
  }
  return rows;
}

async function verifyOnce(request: HttpRequest, jwk: PublicJwk, now: number): Promise<void> {
  const { signature, 'signature-input': input } = request.headers;
  for (const claim of signatureClaims(input!, signature!)) {
    const read = claim();
    checkClaim(read, request, now);
    await verifySignature(read, request, jwk, [origin]);
  }
}
