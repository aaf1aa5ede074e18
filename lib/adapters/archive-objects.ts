import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { archiveRungs, archiveTag } from '../contract/archive.ts';
import type { ArchiveObjects, ArchiveRef, ArchiveUrl } from '../core/archive-ports.ts';
import type { Now } from '../core/ports.ts';
import { contentDisposition, downloadUrl, type BucketAccess } from './download-url.ts';
import { folderOf } from './mail-objects.ts';

/** RFC 4155 §4. */
const ContentType = 'application/mbox';
/** Each part has it, and S3 wants it again of all when the file is made. */
const ChecksumAlgorithm = 'CRC32';

const keyOf = ({ organization_id, archive_id }: ArchiveRef): string =>
  `${organization_id}/archives/${archive_id}.mbox`;
const isNamed = (error: unknown, ...names: string[]): boolean =>
  error instanceof S3ServiceException && names.includes(error.name);

/** The tag that the lifecycle rules go by, should the row that wants the object deleted be lost. */
const tagOf = (days: number): string =>
  `${archiveTag}=${archiveRungs.find((rung) => rung >= days) ?? archiveRungs.at(-1)}`;

/** The files of archives, written. What a part is called in the row: its ETag and its checksum. */
export const archiveObjects = (Bucket: string, s3 = new S3Client({})): ArchiveObjects => ({
  async raw(folder) {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `${folderOf(folder)}raw` }));
      return Body as Readable;
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  },

  async put(archive, days, Body) {
    const about = { Bucket, Key: keyOf(archive), ContentType, Tagging: tagOf(days) };
    try {
      // Whoever comes late may find mails removed already: what is there is whole, and stays.
      await s3.send(new PutObjectCommand({ ...about, Body, IfNoneMatch: '*' }));
    } catch (error) {
      if (!isNamed(error, 'PreconditionFailed')) throw error;
    }
  },

  async begin(archive, days) {
    const about = { Bucket, Key: keyOf(archive), ContentType, Tagging: tagOf(days) };
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({ ...about, ChecksumAlgorithm, ChecksumType: 'COMPOSITE' }),
    );
    return UploadId!;
  },

  async part(archive, UploadId, PartNumber, Body) {
    try {
      const { ETag, ChecksumCRC32 } = await s3.send(
        new UploadPartCommand({ Bucket, Key: keyOf(archive), UploadId, PartNumber, Body, ChecksumAlgorithm }),
      );
      return { part: `${ETag!.replaceAll('"', '')} ${ChecksumCRC32!}` };
    } catch (error) {
      if (isNamed(error, 'NoSuchUpload')) return 'lost';
      throw error;
    }
  },

  async complete(archive, UploadId, parts, size) {
    const Key = keyOf(archive);
    const Parts = parts.map((part, n) => {
      const [ETag, ChecksumCRC32] = part.split(' ');
      return { PartNumber: n + 1, ETag, ChecksumCRC32 };
    });
    try {
      await s3.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
      );
      return 'complete';
    } catch (error) {
      // Of a part that two wrote the bucket has the later one; it should be the same.
      if (isNamed(error, 'InvalidPart')) return 'lost';
      if (!isNamed(error, 'NoSuchUpload')) throw error;
      return (await sizeOf(s3, Bucket, Key)) === size ? 'complete' : 'lost';
    }
  },

  async abort(archive, UploadId) {
    try {
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: keyOf(archive), UploadId }));
    } catch (error) {
      if (!isNamed(error, 'NoSuchUpload')) throw error;
    }
  },

  async remove(archive) {
    await s3.send(new DeleteObjectCommand({ Bucket, Key: keyOf(archive) }));
  },
});

async function sizeOf(s3: S3Client, Bucket: string, Key: string): Promise<number | undefined> {
  try {
    return (await s3.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength;
  } catch (error) {
    if (isNamed(error, 'NotFound', 'NoSuchKey')) return undefined;
    throw error;
  }
}

/** URLs of archives, signed with what reaches the caller's organization alone. */
export const archiveUrl =
  (Bucket: string, now: Now, access: BucketAccess): ArchiveUrl =>
  (archive, filename) =>
    downloadUrl(
      access,
      now,
      new GetObjectCommand({
        Bucket,
        Key: keyOf(archive),
        ResponseContentDisposition: contentDisposition(filename),
        ResponseContentType: ContentType,
      }),
    );
