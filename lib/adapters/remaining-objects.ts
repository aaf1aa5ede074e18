import { DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { RemainingObjects } from '../core/removal-ports.ts';

/** What was taken down, in the mail bucket: listed and deleted 1,000 objects a call, as many as S3 takes. */
export const remainingObjects = (Bucket: string, s3 = new S3Client({})): RemainingObjects => ({
  async *under(Prefix) {
    // Without its end a prefix would reach into whoever's id begins the same; an empty one, everywhere.
    if (!/^org_[^/]+\/([^/]+\/)?$/.test(Prefix))
      throw new Error(`not the folder of an organization: ${Prefix}`);
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
  },
});
