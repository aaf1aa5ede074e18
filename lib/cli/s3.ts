import { S3Client } from '@aws-sdk/client-s3';
import { awsSettings } from './aws-settings.ts';
import type { LocalFile } from './local-file.ts';

/** S3 for the operator. */
export function createS3(
  env: Readonly<Record<string, string | undefined>>,
  local?: Pick<LocalFile, 'aws' | 'operator'>,
): S3Client {
  const settings = awsSettings('S3', env, local);
  const named = settings.endpoint !== undefined;
  return new S3Client({
    ...settings,
    ...(named && { forcePathStyle: true }),
    // The bucket may lie in another Region than the caller works in.
    followRegionRedirects: !named,
  });
}
