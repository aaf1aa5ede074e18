import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SignatureError } from '../../../lib/local/endpoint/signature-error.ts';
import type { WireRequest } from '../../../lib/local/endpoint/signature-parts.ts';
import { verifySignature } from '../../../lib/local/endpoint/verify-signature.ts';
import { runningEndpoint } from './running-endpoint.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const accessKeyId = 'AKIDEXAMPLE';
const caller = { kind: 'operator', arn: 'arn', accessKeyId } as const;
const rules = {
  region: 'us-east-1',
  clock: { now: () => now },
  keys: { find: (id: string) => (id === accessKeyId ? { caller, secret } : ('unknown' as const)) },
};
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const escape = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** Signs with the SDK's own signer; answers the request as it would go over the wire. */
async function signedBySdk(
  request: { method: string; path: string; query: Record<string, string>; body: string },
  service: string,
) {
  const signer = new SignatureV4({
    service,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey: secret },
    sha256: Sha256,
    uriEscapePath: service !== 's3',
  });
  const signed = await signer.sign(
    {
      ...request,
      protocol: 'http:',
      hostname: 'localhost',
      headers: { host: 'localhost:1', 'x-Custom': ' a  b ' },
    },
    { signingDate: new Date(now) },
  );
  const headers = Object.fromEntries(
    Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const rawQuery = Object.entries(request.query)
    .map((pair) => pair.map(escape).join('='))
    .join('&');
  return { method: request.method, path: request.path, rawQuery, headers } satisfies WireRequest;
}

const segments = fc.array(fc.string({ unit: 'grapheme', maxLength: 6 }), { maxLength: 4 });
const queries = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 4 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  { maxKeys: 4 },
);

describe('verifySignature', () => {
  it.each(['execute-api', 's3'])(
    "agrees with the SDK's signer for %s, whatever the path and query",
    async (service) => {
      const property = fc.asyncProperty(segments, queries, fc.string(), async (parts, query, body) => {
        const path = `/${parts.map(escape).join('/')}`;
        const request = await signedBySdk({ method: 'POST', path, query, body }, service);
        expect(verifySignature(request, sha256(body), rules)).toEqual({ caller, service, presigned: false });
      });
      await fc.assert(property, { numRuns: 150 });
    },
  );

  const base = { method: 'POST', path: '/v0/a%40b', query: { x: '1' }, body: '{}' };
  const faults: [name: string, change: (request: WireRequest) => WireRequest, fault: string][] = [
    ['another method', (r) => ({ ...r, method: 'GET' }), 'mismatch'],
    ['another path', (r) => ({ ...r, path: '/v0/a%40c' }), 'mismatch'],
    ['the path decoded', (r) => ({ ...r, path: '/v0/a@b' }), 'mismatch'],
    ['another query', (r) => ({ ...r, rawQuery: 'x=2' }), 'mismatch'],
    ['an added parameter', (r) => ({ ...r, rawQuery: 'x=1&y=' }), 'mismatch'],
    ['another host', (r) => ({ ...r, headers: { ...r.headers, host: 'evil.test' } }), 'mismatch'],
    [
      'another date',
      (r) => ({ ...r, headers: { ...r.headers, 'x-amz-date': '20261121T120001Z' } }),
      'mismatch',
    ],
    [
      'a signed header taken away',
      (r) => ({ ...r, headers: { ...r.headers, 'x-custom': undefined as never } }),
      'malformed',
    ],
    ['no signature', (r) => ({ ...r, headers: { host: 'x' } }), 'missing'],
    ['a Bearer', (r) => ({ ...r, headers: { ...r.headers, authorization: 'Bearer x' } }), 'malformed'],
    ['no date', (r) => ({ ...r, headers: { ...r.headers, 'x-amz-date': 'today' } }), 'malformed'],
    ['a day of another credential', (r) => edited(r, /\/20261121\//, '/20261120/'), 'malformed'],
    ['another region', (r) => edited(r, 'us-east-1', 'eu-west-1'), 'malformed'],
    ['a scope too short', (r) => edited(r, '/aws4_request', ''), 'malformed'],
    ['an unknown key', (r) => edited(r, accessKeyId, 'AKIANOBODY'), 'unknown-key'],
    ['an unsigned host', (r) => edited(r, 'host;', ''), 'malformed'],
    ['a short signature', (r) => edited(r, /Signature=\w+/, 'Signature=ab'), 'mismatch'],
    ['two signatures', (r) => ({ ...r, rawQuery: 'X-Amz-Signature=ab' }), 'malformed'],
    ['a broken escape', (r) => ({ ...r, rawQuery: 'x=%zz' }), 'malformed'],
  ];
  const edited = (request: WireRequest, from: string | RegExp, to: string): WireRequest => ({
    ...request,
    headers: { ...request.headers, authorization: request.headers['authorization']!.replace(from, to) },
  });
  it.each(faults)('refuses %s', async (_name, change, fault) => {
    const request = change(await signedBySdk(base, 'execute-api'));
    expect(() => verifySignature(request, sha256('{}'), rules)).toThrow(expect.objectContaining({ fault }));
  });

  it('refuses another body and a request replayed after five minutes, or from the future', async () => {
    const request = await signedBySdk(base, 'execute-api');
    const at = (ms: number) => ({ ...rules, clock: { now: () => now + ms } });
    expect(() => verifySignature(request, sha256('{ }'), rules)).toThrow(/does not match/);
    verifySignature(request, sha256('{}'), at(5 * 60_000));
    for (const ms of [5 * 60_000 + 1, -5 * 60_000 - 1]) {
      expect(() => verifySignature(request, sha256('{}'), at(ms))).toThrow(
        expect.objectContaining({ fault: 'skewed' }),
      );
    }
  });

  it('shows the canonical request it calculated, so that a signer can be put right', async () => {
    const request = await signedBySdk(base, 'execute-api');
    const shown = () => verifySignature(request, sha256('x'), rules);
    expect(shown).toThrow(/'POST\n\/v0\/a%2540b\nx=1\nhost:localhost:1\n/);
  });

  it('never reveals the secret', async () => {
    const request = await signedBySdk({ ...base, path: '/other' }, 'execute-api');
    try {
      verifySignature({ ...request, path: '/' }, sha256('{}'), rules);
      expect.unreachable();
    } catch (error) {
      expect((error as SignatureError).message).not.toContain(secret);
    }
  });
});

describe('curl --aws-sigv4', () => {
  const here =
    spawnSync('curl', ['--help', 'auth'], { encoding: 'utf8' }).stdout?.includes('--aws-sigv4') ?? false;
  const run = promisify(execFile);

  it.skipIf(!here)('is understood, with a query and a body, and refused with a wrong secret', async () => {
    const { url, operator, received } = await runningEndpoint();
    const curl = async (secretAccessKey: string) => {
      const user = `${operator.accessKeyId}:${secretAccessKey}`;
      const signing = ['-s', '--aws-sigv4', 'aws:amz:us-east-1:execute-api', '--user', user];
      const json = ['-H', 'content-type: application/json', '-d', '{"name":"Acme"}'];
      const { stdout } = await run('curl', [...signing, ...json, `${url}/v0/operator/organizations?limit=2`]);
      return stdout;
    };
    expect(await curl(operator.secretAccessKey)).toBe('{}');
    expect(received).toMatchObject([{ caller: { kind: 'operator' }, path: '/v0/operator/organizations' }]);
    expect(received[0]!.body.toString()).toBe('{"name":"Acme"}');
    expect(await curl('wrong')).toMatch(/does not match the signature you provided/);
  });
});
