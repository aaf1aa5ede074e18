import { describe, expect, it } from 'vitest';
import { createClient } from '../../lib/sdk/client.ts';
import { fakeMailroom, origin } from './fake-mailroom.ts';

const address = 'alice@mail.example.com';
function scene() {
  const { key, fetch, calls } = fakeMailroom();
  const client = createClient({ baseUrl: origin, key: { private_jwk: key.jwk }, fetch });
  return { client, last: () => calls.at(-1)! };
}

describe('archives of our SDK', () => {
  it('are asked for when an inbox is deleted', async () => {
    const { client, last } = scene();
    expect(await client.inboxes.delete(address)).toBeUndefined();
    expect(await client.inboxes.delete(address, { messages: 'archive' })).toEqual({
      archive_id: 'arc_1',
      pending: true,
    });
    expect(last().call).toMatchObject({ query: { messages: 'archive' } });
    expect(await client.pods.inboxes.delete('org_1', address)).toBeUndefined();
    expect(await client.pods.inboxes.delete('org_1', address, { messages: 'archive' })).toMatchObject({
      pending: true,
    });
    expect(last().name).toBe('pods.inboxes.delete');
  });

  it('are listed, fetched and deleted, of the organization and of a pod', async () => {
    const { client, last } = scene();
    for (const [at, level, id] of [
      ['archives', client.archives, []],
      ['pods.archives', client.pods.archives, ['pod_1']],
    ] as const) {
      const archives = level as never as Record<string, (...args: unknown[]) => any>;
      expect(await archives['get']!(...id, 'arc_1')).toMatchObject({
        state: 'ready',
        download_url: expect.any(String),
      });
      expect(last().name).toBe(`${at}.get`);
      expect((await archives['list']!(...id, { limit: 5 })).archives).toHaveLength(1);
      expect(last().call).toMatchObject({ query: { limit: 5 } });
      expect(await Array.fromAsync(archives['all']!(...id))).toMatchObject([{ archive_id: 'arc_1' }]);
      expect(await archives['delete']!(...id, 'arc_1')).toBeUndefined();
      expect(last().name).toBe(`${at}.delete`);
    }
  });
});
