import { S3Client } from '@aws-sdk/client-s3';
import { Endpoint } from '../../../lib/local/endpoint/endpoint.ts';
import { AccessKeys } from '../../../lib/local/iam/access-keys.ts';
import { Iam } from '../../../lib/local/iam/iam.ts';
import type { S3 } from '../../../lib/local/s3/s3.ts';
import type { StubCloud } from '../../support/service-endpoint.ts';

/** The S3 behind the real endpoint, with signatures and its way of refusing; clients of the operator. */
export async function signedEndpoint(cloud: StubCloud, s3: S3) {
  const { account, region, home, clock, print } = cloud;
  const iam = new Iam({ account, region, clock, print });
  const keys = new AccessKeys(home, iam, clock);
  const options = { isActive: () => true, onStrayCall: () => {}, print };
  const endpoint = new Endpoint({ keys, clock, region, services: [s3], ...options });
  await endpoint.listen();
  const clients: S3Client[] = [];
  const client = (more: object = {}) => {
    const settings = { endpoint: endpoint.url, region, credentials: keys.operator, forcePathStyle: true };
    // Without Expect the SDK sends at once, as it does any body below 2 MB.
    const made = new S3Client({ ...settings, maxAttempts: 1, expectContinueHeader: false, ...more });
    clients.push(made);
    return made;
  };
  const close = async () => {
    for (const each of clients) each.destroy();
    await endpoint.stop();
  };
  return { endpoint, client, close };
}
