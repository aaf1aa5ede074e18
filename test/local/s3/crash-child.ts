import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { S3 } from '../../../lib/local/s3/s3.ts';
import { lockedBucket } from './locked-bucket.ts';
import { deploy, stubCloud, testRole } from '../../support/service-endpoint.ts';

// Puts, copies and deletes until it is killed, four at a time, and a fifth that makes versions under a lock and
// takes some away; writes each acknowledgement as it comes.
const cloud = await stubCloud({ home: process.argv[2]! });
const s3 = new S3(cloud);
await deploy(s3, 'AWS::S3::Bucket', { BucketName: 'mail' });
await deploy(s3, 'AWS::S3::Bucket', lockedBucket);

const call = async (
  method: string,
  key: string,
  headers: Record<string, string>,
  body: Buffer[],
  { bucket, query }: { bucket: string; query?: string } = { bucket: 'mail' },
) => {
  const request = {
    method,
    path: `/${bucket}/${key}`,
    query: new URLSearchParams(query),
    headers,
    body: Readable.from(body),
    caller: testRole,
  };
  const { status, headers: answered } = await s3.handle(request);
  if (status >= 300) throw new Error(`${method} ${key}: ${status}`);
  return answered?.['x-amz-version-id'] ?? '';
};

const work = async (worker: number) => {
  for (let round = 0; ; round++) {
    const name = `${worker}-${round}`;
    const bytes = Buffer.alloc(20 + ((round * 7919) % 40_000), name);
    await call('PUT', `incoming/${name}`, { 'content-length': String(bytes.length) }, [
      bytes.subarray(0, 9),
      bytes.subarray(9),
    ]);
    writeSync(1, `put ${name} ${bytes.length}\n`);
    await call('PUT', `kept/${name}`, { 'x-amz-copy-source': `mail/incoming/${name}` }, []);
    writeSync(1, `copied ${name} ${bytes.length}\n`);
    await call('DELETE', `incoming/${name}`, {}, []);
    writeSync(1, `deleted ${name}\n`);
  }
};
const version = async () => {
  const bucket = 'ledger';
  for (let round = 0; ; round++) {
    const bytes = Buffer.from(`line ${round}`);
    const md5 = createHash('md5').update(bytes).digest('base64');
    const headers = { 'content-length': String(bytes.length), 'content-md5': md5 };
    const id = await call('PUT', 'k', headers, [bytes], { bucket });
    writeSync(1, `version ${id} ${round}\n`);
    if (round % 3 === 1) writeSync(1, `marker ${await call('DELETE', 'k', {}, [], { bucket })}\n`);
    if (round % 2 === 0) continue;
    const bypass = { 'x-amz-bypass-governance-retention': 'true' };
    await call('DELETE', 'k', bypass, [], { bucket, query: `versionId=${id}` });
    writeSync(1, `forgotten ${id}\n`);
  }
};
await Promise.all([...[1, 2, 3, 4].map(work), version()]);
