import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Caller } from '../../lib/local/cloud.ts';
import { S3 } from '../../lib/local/s3/s3.ts';
import { clientSettings, deploy, endHouse, serve, stubCloud, type StubCloud } from './service-endpoint.ts';

export interface S3House {
  cloud: StubCloud;
  engine: S3;
  client: S3Client;
  url: string;
  close(): Promise<void>;
}

/** The local S3 with this bucket, or with none, behind HTTP and the real SDK. */
export async function s3House({
  bucket,
  caller,
  settings,
}: {
  bucket?: { BucketName: string };
  caller?: () => Caller;
  settings?: S3ClientConfig;
} = {}): Promise<S3House> {
  const cloud = await stubCloud();
  const engine = new S3(cloud);
  if (bucket !== undefined) await deploy(engine, 'AWS::S3::Bucket', bucket);
  const { url, close } = await serve(engine, caller);
  const client = new S3Client({ ...clientSettings(url), forcePathStyle: true, ...settings });
  return {
    ...{ cloud, engine, client, url },
    close: () => endHouse({ client, close, engine, cloud }),
  };
}
