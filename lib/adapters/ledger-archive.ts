import { HeadObjectCommand, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { exportKey } from '../contract/ledger-export.ts';
import type { Exported, LedgerArchive } from '../core/ledger-ports.ts';

const attempts = 3;

/** The ledger's export in a bucket with Object Lock; its default retention locks what is put. */
export const ledgerArchive = (Bucket: string, s3 = new S3Client({})): LedgerArchive => ({
  async keep(organizationId, first, text, last) {
    const Key = exportKey(organizationId, first);
    const object = {
      Bucket,
      Key,
      Body: text,
      ContentType: 'application/x-ndjson',
      // A put that will be locked is refused without a checksum.
      ChecksumAlgorithm: 'SHA256' as const,
      Metadata: { 'last-seal': String(last.number), 'last-hash': last.hash },
    };
    for (let attempt = 1; ; attempt++) {
      try {
        await s3.send(new PutObjectCommand({ ...object, IfNoneMatch: '*' }));
        return last;
      } catch (error) {
        if (!(error instanceof S3ServiceException)) throw error;
        if (error.name === 'PreconditionFailed') return lastOf(s3, Bucket, Key);
        // Somebody writes there at this moment: S3 wants it tried again.
        if (error.name !== 'ConditionalRequestConflict' || attempt === attempts) throw error;
      }
    }
  },
});

async function lastOf(s3: S3Client, Bucket: string, Key: string): Promise<Exported> {
  const { Metadata = {} } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  const [number, hash] = [Number(Metadata['last-seal']), Metadata['last-hash']];
  if (!Number.isSafeInteger(number) || hash === undefined)
    throw new Error(`${Key} does not say where it ends: it is not of this export`);
  return { number, hash };
}
