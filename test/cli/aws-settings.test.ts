import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createS3 } from '../../lib/cli/s3.ts';
import { createSqs } from '../../lib/cli/sqs.ts';

beforeAll(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterAll(() => void vi.unstubAllEnvs());

const local = {
  aws: 'http://127.0.0.1:4566',
  operator: { access_key_id: 'AKIALOCAL', secret_access_key: 's', region: 'eu-west-1' },
};

describe.each([
  ['S3', createS3],
  ['SQS', createSqs],
] as const)('the operator’s %s', (service, create) => {
  const about = async (env: Record<string, string>, here?: typeof local) => {
    const { config } = create(env, here);
    return {
      port: (await config.endpoint?.())?.port,
      region: await config.region(),
      key: (await config.credentials()).accessKeyId,
    };
  };

  it('is that of the local cloud with its operator, of an endpoint that is named, or of AWS', async () => {
    expect(await about({}, local)).toEqual({ port: 4566, region: 'eu-west-1', key: 'AKIALOCAL' });
    for (const name of ['AWS_ENDPOINT_URL', `AWS_ENDPOINT_URL_${service}`]) {
      const named = { [name]: 'http://127.0.0.1:5000', AWS_REGION: 'us-west-2' };
      expect(await about(named)).toEqual({ port: 5000, region: 'us-west-2', key: 'AKIATEST' });
    }
    expect((await about({ AWS_REGION: 'us-west-2' })).port).toBeUndefined();
  });
});
