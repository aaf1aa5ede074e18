import { DeleteObjectsCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';

/** Deletes all that lies under a prefix, 1,000 objects a call, as many as S3 takes; says how many after each. */
export async function* emptyFolder(s3: S3Client, Bucket: string, Prefix: string): AsyncGenerator<number> {
  for (;;) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix, MaxKeys: 1000 }));
    if (Contents.length === 0) return;
    const Objects = Contents.map(({ Key }) => ({ Key }));
    const { Errors = [] } = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
    );
    if (Errors.length > 0)
      throw new Error(`S3 kept ${Errors.length} objects under ${Prefix}: ${Errors[0]!.Code}`);
    yield Contents.length;
  }
}
