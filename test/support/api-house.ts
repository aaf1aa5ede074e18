import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { vi } from 'vitest';
import { apiKeyStore } from '../../lib/adapters/dynamo/api-key-store.ts';
import type { Credential } from '../../lib/core/ports.ts';
import { apiEvent, lambdaContext, type Sent } from '../edge/api-event.ts';
import { testKey, type TestKey } from '../edge/key-fixture.ts';
import { librarySigned } from '../edge/library-signer.ts';
import { mailDomain, organizationId } from './mail-samples.ts';
import { mailroomHouse } from './mailroom-house.ts';
import { freshHandler } from './fresh-handler.ts';

type Handler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;
export const origin = 'https://mail.example.com';
const time = '2026-01-01T00:00:00.000Z';
let serial = 0;

/**
 * One instance of the `api` function as it is deployed, before the local table, without the wall between tenants. Date
 * stands still at the beginning of a minute, so that what the instance remembers and has leased does not end meanwhile.
 */
export async function apiHouse() {
  vi.useFakeTimers({ toFake: ['Date'], now: Math.floor(Date.now() / 60_000) * 60_000 });
  const house = await mailroomHouse();
  for (const [name, value] of Object.entries({
    ...{ TABLE_NAME: 'mailroom', BUCKET_NAME: 'bucket', TENANT_ROLE_ARN: '', MAIL_DOMAIN: mailDomain },
    ...{ PUBLIC_ORIGINS: origin, DNS_RECORDS: '[]', ALLOW_LOOPBACK_WEBHOOKS: 'false' },
    ...{ QUARANTINE_DAYS: '30', EXPIRY_NOTICE_MINUTES: '60' },
    ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'secret' },
    AWS_ENDPOINT_URL: house.url,
  }))
    vi.stubEnv(name, value);
  const silent = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const handler = await freshHandler<Handler>('api');
  return {
    house,
    /** A registered key of the first organization, or of another place. */
    async keyOf(more: Partial<Credential> = {}): Promise<TestKey> {
      const key = testKey('ed25519', { api_key_id: `key_${++serial}`, organization_id: organizationId });
      const about = { name: 'key', created_at: time, updated_at: time };
      const credential = { ...key.credential, ...about, ...more } as Credential;
      const outcome = await apiKeyStore(house.database).add(credential);
      if (outcome !== 'added') throw new Error(`the key was not added: ${JSON.stringify(outcome)}`);
      return { ...key, credential };
    },
    /** What a signed call is answered, and the calls of the table it made. */
    async call(key: TestKey, sent: Omit<Sent, 'url'> & { path: string }) {
      const { path, ...rest } = sent;
      const signed = await librarySigned(key, { ...rest, url: origin + path }, { now: Date.now() });
      house.house.forget();
      const { statusCode, body } = await handler(apiEvent(signed), lambdaContext);
      return { statusCode, body, calls: house.house.counted() };
    },
    async close(): Promise<void> {
      silent.mockRestore();
      vi.unstubAllEnvs();
      vi.useRealTimers();
      await house.house.close();
    },
  };
}
export type ApiHouse = Awaited<ReturnType<typeof apiHouse>>;
