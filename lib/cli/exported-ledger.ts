import {
  GetObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { exportPrefix, readExport, type SealedLines } from '../contract/ledger-export.ts';

/**
 * What lies in the archive of an organization's ledger. Every version of every object counts, also where a delete
 * marker lies upon them: a lock keeps versions, not names. Throws what S3 answers, and an `Error` that names an object
 * which is no export.
 */
export async function* exportedLedger(
  s3: S3Client,
  Bucket: string,
  organizationId: string,
): AsyncGenerator<SealedLines> {
  const Prefix = exportPrefix(organizationId);
  let next: Pick<ListObjectVersionsCommandOutput, 'NextKeyMarker' | 'NextVersionIdMarker'> = {};
  do {
    const [KeyMarker, VersionIdMarker] = [next.NextKeyMarker, next.NextVersionIdMarker];
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix, KeyMarker, VersionIdMarker }));
    for (const { Key, VersionId } of page.Versions ?? []) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
      yield* entries(await Body!.transformToString(), `${Key} (version ${VersionId})`);
    }
    next = page;
  } while (next.NextKeyMarker !== undefined);
}

function entries(text: string, name: string): SealedLines[] {
  try {
    return readExport(text);
  } catch (error) {
    throw new Error(`${name} in the export cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
