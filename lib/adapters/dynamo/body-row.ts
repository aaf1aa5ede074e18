import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import type { Bodies } from '../../core/mail-ports.ts';
import { rowVersion, type Row } from './client.ts';
import { bodyKey, type Owner } from './keys.ts';

/**
 * Where bodies go, by price (us-east-1, on demand): a transactional write is two units of $0.625 per million for
 * each kilobyte, an S3 PUT is $5 per million. They meet at 4 KB compressed; below, the row is cheaper to write, and
 * to read ($0.125 against $0.40 per million). A 4 KB row is about 15 KB of plain text, which most mail stays under.
 */
const largestRow = 4096;

/** Quality 5 is where brotli still takes well under a millisecond for a mail; more buys a few percent. */
const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

export const packBodies = (bodies: Bodies): Buffer => brotliCompressSync(JSON.stringify(bodies), options);
/** Our own output, so its size is known to be bounded by what the parser lets through. */
export const unpackBodies = (packed: Uint8Array): Bodies =>
  JSON.parse(brotliDecompressSync(packed).toString()) as Bodies;

export const fitsRow = async (bodies: Bodies): Promise<boolean> => {
  // Text that compresses below 4 KB is not over 400 KB; do not spend time on finding out.
  const plain = Object.values(bodies).reduce(
    (sum, part) => sum + (typeof part === 'string' ? part.length : 0),
    0,
  );
  return plain < 100 * largestRow && packBodies(bodies).length <= largestRow;
};

export const bodyRow = (owner: Owner, ulid: string, bodies: Bodies): Row => ({
  ...bodyKey(owner, ulid),
  v: rowVersion,
  packed: packBodies(bodies),
});
