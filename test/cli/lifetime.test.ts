import { describe, expect, it } from 'vitest';
import { address, setUp } from './posthorn-shell.ts';

/** What a command sends. */
async function sent(line: string): Promise<Record<string, unknown>> {
  const { posthorn, mailroom, operator } = setUp();
  const args = line.split(' ');
  const { code, err } = await posthorn(args);
  expect([code, err], line).toEqual([0, '']);
  const { call } = (args[0] === 'operator' ? operator : mailroom).calls.at(-1)!;
  return (call as { body: Record<string, unknown> }).body;
}

describe('posthorn inboxes', () => {
  it('sets what ends an inbox or its mail', async () => {
    const before = Date.now();
    const { expires_at, ...rest } = await sent(
      'inboxes create --expires-in 12h --retention-days 7 --archive-retention-days 90 --storage-limit 5000000000',
    );
    expect(rest).toEqual({ retention_days: 7, archive_retention_days: 90, storage_limit: 5_000_000_000 });
    const ahead = Date.parse(String(expires_at)) - before;
    expect(ahead).toBeGreaterThanOrEqual(12 * 3600_000);
    expect(ahead).toBeLessThan(12 * 3600_000 + 60_000);
    expect(await sent(`inboxes update ${address} --expires-at 2030-01-01T00:00:00Z`)).toEqual({
      expires_at: '2030-01-01T00:00:00Z',
    });
  });

  it('takes it away with none', async () => {
    expect(
      await sent(`inboxes update ${address} --expires-in none --retention-days none --storage-limit none`),
    ).toEqual({ expires_at: null, retention_days: null, storage_limit: null });
  });

  it.each(['--expires-in soon', '--expires-in 5', '--retention-days x', '--expires-in 1h --expires-at none'])(
    'does not understand %s',
    async (options) => {
      const { posthorn, mailroom } = setUp();
      const { code, out } = await posthorn(['inboxes', 'create', ...options.split(' ')]);
      expect([code, out, mailroom.calls]).toEqual([2, '', []]);
    },
  );
});

it('posthorn operator organizations update sets retention and room', async () => {
  expect(
    await sent('operator organizations update org_1 --retention-days 30 --storage-limit 50000000000'),
  ).toEqual({
    retention_days: 30,
    storage_limit: 50_000_000_000,
  });
  expect(
    await sent('operator organizations update org_1 --retention-days none --storage-limit none'),
  ).toEqual({
    retention_days: null,
    storage_limit: null,
  });
});
