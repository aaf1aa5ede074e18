import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ledgerArchive } from '../../lib/adapters/ledger-archive.ts';
import { run } from '../../lib/cli/run.ts';
import { exportText } from '../../lib/contract/ledger-export.ts';
import type { Line, Seal } from '../../lib/contract/ledger.ts';
import { generateKey } from '../../lib/sdk/key.ts';
import { lockedBucket } from '../local/s3/locked-bucket.ts';
import { sampleLine, sealAll } from '../support/ledger-samples.ts';
import { organizationId } from '../support/mail-samples.ts';
import { clientSettings } from '../support/service-endpoint.ts';
import { s3House } from '../support/s3-house.ts';

const Bucket = lockedBucket.BucketName;
let s3: S3Client;
let endpoint: string;
let close: () => Promise<void>;
beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  ({ close, client: s3, url: endpoint } = await s3House({ bucket: lockedBucket }));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await close();
});

let organizations = 0;
let organization: string;
let groups: Line[][];
let seals: Seal[];
const linesOf = (numbers: number[][]): Line[][] =>
  numbers.map((each) => each.map((n) => sampleLine(n, { organization_id: organization })));
const keep = (from: number, to: number, lines = groups, chain = seals) =>
  ledgerArchive(Bucket, s3).keep(
    organization,
    from,
    chain
      .slice(from - 1, to)
      .map((seal, n) => exportText({ seal, lines: lines[from - 1 + n]! }))
      .join(''),
    chain[to - 1]!,
  );
beforeEach(async () => {
  organization = `${organizationId}${++organizations}`;
  groups = linesOf([[1, 2], [3], [4]]);
  seals = sealAll(groups, organization);
  await keep(1, 2);
  await keep(3, 3);
});

/** `posthorn operator audit verify` over a table with these lines and seals. */
async function verify(lines: Line[], chain: Seal[], ...more: string[]) {
  const printed = { out: '', err: '' };
  const code = await run(
    [
      ...['--url', 'https://mail.example.com', '--key', JSON.stringify(generateKey())],
      ...['operator', 'audit', 'verify', organization, ...more],
    ],
    {
      env: { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: endpoint },
      cwd: '/',
      stdin: (async function* () {})(),
      out: (text) => void (printed.out += String(text)),
      err: (text) => void (printed.err += text),
      fetch: async (input) =>
        new URL(String(input)).pathname.endsWith('/seals')
          ? Response.json({ seals: chain, count: chain.length })
          : Response.json({ lines, count: lines.length }),
    },
  );
  return { code, err: printed.err, verdict: printed.out === '' ? undefined : JSON.parse(printed.out) };
}
const held = (lines: Line[], chain: Seal[]) => verify(lines, chain, '--export', Bucket);

describe('posthorn operator audit verify --export', () => {
  it('fetches every object of the organization and says how many seals are kept there', async () => {
    const { code, verdict } = await held(groups.flat(), seals);
    const head = { number: 3, hash: seals[2]!.hash };
    expect([code, verdict]).toEqual([
      0,
      { organization_id: organization, lines: 4, seals: 3, exported: 3, findings: [], head },
    ]);
  });

  it('catches who wrote the whole chain anew, whom the verification alone lets pass', async () => {
    const forged = groups.with(0, [{ ...groups[0]![0]!, outcome: 'denied' }, groups[0]![1]!]);
    const chain = sealAll(forged, organization);
    expect((await verify(forged.flat(), chain)).code).toBe(0);
    const { code, verdict, err } = await held(forged.flat(), chain);
    expect([code, verdict.findings.map(({ kind, seal }: any) => `${kind} ${seal}`)]).toEqual([
      1,
      ['exported 1', 'exported 1', 'exported 2', 'exported 3'],
    ]);
    expect(err).toContain('not as it was written');
  });

  it('catches who took the end of the chain away', async () => {
    expect((await verify(groups.slice(0, 2).flat(), seals.slice(0, 2))).code).toBe(0);
    expect((await held(groups.slice(0, 2).flat(), seals.slice(0, 2))).verdict.findings).toMatchObject([
      { kind: 'exported', seal: 3, reason: 'the ledger does not have this seal any more' },
      { kind: 'exported', seal: 3, line_ids: [groups[2]![0]!.line_id] },
    ]);
  });

  it('also where delete markers hide the objects, and something else was put in their place', async () => {
    const forged = groups.with(0, [{ ...groups[0]![0]!, outcome: 'denied' }, groups[0]![1]!]);
    const chain = sealAll(forged, organization);
    for (const name of ['000000000001', '000000000003'])
      await s3.send(new DeleteObjectCommand({ Bucket, Key: `${organization}/${name}.ndjson` }));
    await keep(1, 3, forged, chain);
    const { code, verdict } = await held(forged.flat(), chain);
    expect([code, verdict.exported]).toEqual([1, 3]);
    expect(verdict.findings).toContainEqual({
      kind: 'exported',
      seal: 1,
      reason: 'the export has several seals of this number',
    });
  });

  it('names an object that cannot be read, and a bucket that is not there', async () => {
    const Key = `${organization}/000000000009.ndjson`;
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'hello', ChecksumAlgorithm: 'SHA256' }));
    const broken = await held(groups.flat(), seals);
    expect([broken.code, broken.err]).toEqual([1, expect.stringContaining(`${Key} (version `)]);
    expect(broken.err).toContain('row 1 is no seal');
    const none = await verify(groups.flat(), seals, '--export', 'no-such-bucket');
    expect([none.code, none.err]).toEqual([1, expect.stringMatching(/bucket does not exist/i)]);
  });

  it('goes through listings of many pages', async () => {
    organization += 'many';
    groups = linesOf(Array.from({ length: 30 }, (_, n) => [n]));
    seals = sealAll(groups, organization);
    for (let n = 1; n <= 30; n++) await keep(n, n);
    const { exportedLedger } = await import('../../lib/cli/exported-ledger.ts');
    const paged = new S3Client({ ...clientSettings(endpoint), forcePathStyle: true });
    paged.middlewareStack.add((next) => (args) => next({ ...args, input: { ...args.input, MaxKeys: 7 } }), {
      step: 'initialize',
    });
    const found = await Array.fromAsync(exportedLedger(paged, Bucket, organization));
    expect(found.map(({ seal }) => seal.number)).toEqual(seals.map(({ number }) => number));
    paged.destroy();
  });
});
