import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { S3 } from '../../../lib/local/s3/s3.ts';
import { deploy, stubCloud, testRole } from '../../support/service-endpoint.ts';

// Puts, copies and deletes until it is killed, four at a time, and writes each acknowledgement as it comes.
const cloud = await stubCloud({ home: process.argv[2]! });
const s3 = new S3(cloud);
await deploy(s3, 'AWS::S3::Bucket', { BucketName: 'mail' });

const call = async (method: string, key: string, headers: Record<string, string>, body: Buffer[]) => {
  const query = new URLSearchParams();
  const request = {
    method,
    path: `/mail/${key}`,
    query,
    headers,
    body: Readable.from(body),
    caller: testRole,
  };
  const { status } = await s3.handle(request);
  if (status >= 300) throw new Error(`${method} ${key}: ${status}`);
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
await Promise.all([1, 2, 3, 4].map(work));
