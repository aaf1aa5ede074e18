import { expect, it } from 'vitest';
import { handler } from '../../lambdas/health/handler.ts';

it('health says that the door opens, and is never cached', async () => {
  const { statusCode, headers, body } = await handler();
  expect([statusCode, headers?.['cache-control'], JSON.parse(body!)]).toEqual([
    200,
    'no-store',
    { status: 'ok' },
  ]);
});
