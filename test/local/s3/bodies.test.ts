import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeAwsChunked } from '../../../lib/local/s3/aws-chunked.ts';
import { runningChecksum } from '../../../lib/local/s3/checksums.ts';
import { byteRange } from '../../../lib/local/s3/get-object.ts';
import { S3 } from '../../../lib/local/s3/s3.ts';
import { deploy, removeHome, stubCloud, testRole } from '../../support/service-endpoint.ts';
import type { StubCloud } from '../../support/service-endpoint.ts';

let cloud: StubCloud;
let s3: S3;
beforeAll(async () => {
  cloud = await stubCloud();
  s3 = new S3(cloud);
  await deploy(s3, 'AWS::S3::Bucket', { BucketName: 'mail' });
});
afterAll(async () => {
  await s3.stop();
  await removeHome(cloud);
});

/** A body framed as the SDK frames it, in chunks of the given sizes. */
function framed(bytes: Buffer, sizes: number[], signed: boolean, trailer = ''): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  const extension = signed ? `;chunk-signature=${'0'.repeat(64)}` : '';
  for (const size of [...sizes, bytes.length]) {
    const chunk = bytes.subarray(from, from + size);
    from += chunk.length;
    if (chunk.length > 0)
      parts.push(Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`), chunk, crlf);
  }
  return Buffer.concat([...parts, Buffer.from(`0${extension}\r\n${trailer}`), crlf]);
}
const crlf = Buffer.from('\r\n');

function* cut(bytes: Buffer, size: number): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

const crcOf = (bytes: Buffer) => {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value.toString('base64');
};

// Sizes around every boundary there is: chunk, read size, file buffer.
const size = fc.oneof(
  fc.integer({ min: 0, max: 3000 }),
  fc.constantFrom(4095, 4096, 4097, 65_535, 65_536, 65_537, 262_143, 262_144, 262_145),
);

function send(method: string, headers: Record<string, string>, body: Iterable<Buffer>) {
  const query = new URLSearchParams();
  const request = { method, path: '/mail/key', query, headers, body: Readable.from(body), caller: testRole };
  return s3.handle(request);
}

async function read(): Promise<Buffer> {
  const { body } = await send('GET', {}, []);
  if (Buffer.isBuffer(body)) return body;
  const chunks: Buffer[] = [];
  for await (const chunk of body as Readable) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('a body', () => {
  it('comes back whole however it is framed and cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        size,
        fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 70_000 }),
        fc.boolean(),
        async (length, sizes, cuts, signed) => {
          const bytes = Buffer.alloc(length, createHash('sha256').update(String(length)).digest());
          const trailer = `x-amz-checksum-crc32:${crcOf(bytes)}\r\n`;
          const wire = framed(bytes, sizes, signed, trailer);
          const headers = {
            'x-amz-content-sha256': signed
              ? 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'
              : 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
            'x-amz-decoded-content-length': String(length),
            'x-amz-trailer': 'x-amz-checksum-crc32',
          };
          // Many tiny cuts of a large body only cost time.
          const { status } = await send('PUT', headers, cut(wire, Math.max(cuts, wire.length / 500)));
          expect(status).toBe(200);
          expect((await read()).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    ['cut off in a chunk', (wire: Buffer) => wire.subarray(0, 50), 'IncompleteBody'],
    ['cut off before the last chunk', (wire: Buffer) => wire.subarray(0, 105), 'IncompleteBody'],
    ['without its trailer', () => framed(Buffer.alloc(100), [], false), 'MalformedTrailerError'],
    [
      'with a wrong trailer',
      () => framed(Buffer.alloc(100), [], false, 'x-amz-checksum-crc32:AAAAAA==\r\n'),
      'BadDigest',
    ],
    ['longer than stated', () => framed(Buffer.alloc(101), [], false), 'IncompleteBody'],
    ['with a chunk longer than its size', () => Buffer.from('1\r\nab\r\n0\r\n\r\n'), 'IncompleteBody'],
    ['not framed at all', () => Buffer.alloc(10_000, 'x'), 'IncompleteBody'],
  ])('%s is refused and changes nothing', async (_, damage, code) => {
    const before = Buffer.from('before');
    await send('PUT', { 'content-length': '6' }, [before]);
    const headers = {
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '100',
      'x-amz-trailer': 'x-amz-checksum-crc32',
    };
    const wire = damage(
      framed(Buffer.alloc(100), [], false, `x-amz-checksum-crc32:${crcOf(Buffer.alloc(100))}\r\n`),
    );
    const answer = await send('PUT', headers, [wire]);
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining(`<Code>${code}</Code>`)]);
    expect(await read()).toEqual(before);
  });

  it('never contains its framing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 500 }),
        fc.integer({ min: 1, max: 20 }),
        async (array, cuts) => {
          const bytes = Buffer.from(array);
          const trailers = new Map<string, string>();
          const parts: Buffer[] = [];
          const wire = Readable.from(cut(framed(bytes, [7, 13], true, 'a:b\r\n'), cuts));
          for await (const part of decodeAwsChunked(wire, trailers)) parts.push(part);
          expect(Buffer.concat(parts).equals(bytes)).toBe(true);
          expect(trailers.get('a')).toBe('b');
        },
      ),
    );
  });
});

describe('checksums', () => {
  // The check values of the CRC catalogue, over "123456789".
  it.each([
    ['crc32', 'cbf43926'],
    ['crc32c', 'e3069283'],
    ['crc64nvme', 'ae8b14860a799888'],
  ] as const)('of %s have the published check value', (algorithm, hex) => {
    const checksum = runningChecksum(algorithm);
    checksum.update(Buffer.from('1234'));
    checksum.update(Buffer.from('56789'));
    expect(Buffer.from(checksum.digest(), 'base64').toString('hex')).toBe(hex);
  });
});

describe('a range', () => {
  it('is always inside the object', () => {
    const number = fc.option(fc.integer({ min: 0, max: 30 }), { nil: '' });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 1, max: 20 }), (first, last, length) => {
        let range;
        try {
          range = byteRange(`bytes=${first}-${last}`, length);
        } catch {
          expect(first === '' ? Number(last) === 0 : Number(first) >= length).toBe(true);
          return;
        }
        if (range === undefined) return;
        expect(range[0] >= 0 && range[0] <= range[1] && range[1] < length).toBe(true);
      }),
    );
  });
});
