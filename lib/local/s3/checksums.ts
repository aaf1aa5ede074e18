import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AwsError } from '../aws-error.ts';

/** The checksums S3 knows, by the end of their header names. */
export const checksumAlgorithms = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

/** A checksum in the making. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  /** Base64 of the big-endian value, as the headers carry it. */
  digest(): string;
}

export function runningChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  if (algorithm === 'crc64nvme') return new Crc64Nvme();
  if (algorithm === 'crc32') return new Crc32((bytes, value) => crc32(bytes, value));
  if (algorithm === 'crc32c') return new Crc32(crc32c);
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('base64') };
}

/** The algorithm a name in a header or XML member means; NotImplemented for one S3 does not know. */
export function checksumAlgorithm(name: string): ChecksumAlgorithm {
  const found = checksumAlgorithms.find((algorithm) => algorithm === name.toLowerCase());
  if (found === undefined)
    throw new AwsError('InvalidRequest', `Checksum algorithm provided is unsupported: ${name}`);
  return found;
}

/** Whether a request says by which its body can be checked, as a header or as a trailer. */
export function statesChecksum(headers: Record<string, string>): boolean {
  const trailers = headers['x-amz-trailer']?.toLowerCase() ?? '';
  const names = checksumAlgorithms.map((algorithm) => `x-amz-checksum-${algorithm}`);
  return (
    headers['content-md5'] !== undefined ||
    names.some((name) => headers[name] !== undefined || trailers.includes(name))
  );
}

class Crc32 implements RunningChecksum {
  #value = 0;
  readonly #step: (bytes: Uint8Array, value: number) => number;

  constructor(step: (bytes: Uint8Array, value: number) => number) {
    this.#step = step;
  }

  update(bytes: Uint8Array): void {
    this.#value = this.#step(bytes, this.#value);
  }

  digest(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#value);
    return bytes.toString('base64');
  }
}

// Castagnoli's polynomial, reflected (RFC 3720 appendix B.4).
const castagnoli = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

function crc32c(bytes: Uint8Array, start: number): number {
  let value = ~start;
  for (const byte of bytes) value = (value >>> 8) ^ castagnoli[(value ^ byte) & 0xff]!;
  return ~value >>> 0;
}

// The polynomial of NVM Express, reflected: 9a6c9329ac4bc9b5. Halves in two tables, since BigInt is 50 times slower.
const nvmeHigh = new Uint32Array(256);
const nvmeLow = new Uint32Array(256);
for (let index = 0; index < 256; index++) {
  let high = 0;
  let low = index;
  for (let bit = 0; bit < 8; bit++) {
    const odd = low & 1;
    low = ((low >>> 1) | (high << 31)) >>> 0;
    high >>>= 1;
    if (odd) [high, low] = [(high ^ 0x9a6c9329) >>> 0, (low ^ 0xac4bc9b5) >>> 0];
  }
  [nvmeHigh[index], nvmeLow[index]] = [high, low];
}

class Crc64Nvme implements RunningChecksum {
  #high = 0xffffffff;
  #low = 0xffffffff;

  update(bytes: Uint8Array): void {
    let [high, low] = [this.#high, this.#low];
    for (const byte of bytes) {
      const index = (low ^ byte) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ nvmeLow[index]!;
      high = (high >>> 8) ^ nvmeHigh[index]!;
    }
    [this.#high, this.#low] = [high >>> 0, low >>> 0];
  }

  digest(): string {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(~this.#high >>> 0, 0);
    bytes.writeUInt32BE(~this.#low >>> 0, 4);
    return bytes.toString('base64');
  }
}
