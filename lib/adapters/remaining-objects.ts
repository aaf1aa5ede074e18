import { S3Client } from '@aws-sdk/client-s3';
import type { RemainingObjects } from '../core/removal-ports.ts';
import { emptyFolder } from './empty-folder.ts';

/** What was taken down, in the mail bucket. */
export const remainingObjects = (Bucket: string, s3 = new S3Client({})): RemainingObjects => ({
  async *under(prefix) {
    // Without its end a prefix would reach into whoever's id begins the same; an empty one, everywhere.
    if (!/^org_[^/]+\/([^/]+\/)?$/.test(prefix))
      throw new Error(`not the folder of an organization: ${prefix}`);
    yield* emptyFolder(s3, Bucket, prefix);
  },
});
