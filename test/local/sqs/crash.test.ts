import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Sqs } from '../../../lib/local/sqs/sqs.ts';
import { killAfter } from '../../support/kill-after.ts';
import { deploy, removeHome, stubCloud, testRole } from '../../support/service-endpoint.ts';

describe('after kill -9', () => {
  it.each([10, 300, 1000])(
    'every acknowledged message is received, after %i lines, no deleted one',
    async (lines) => {
      const home = await mkdtemp(join(tmpdir(), 'posthorn-'));
      const acknowledged = await killAfter(lines, join(import.meta.dirname, 'crash-child.ts'), home);
      expect(acknowledged.length).toBeGreaterThanOrEqual(lines);
      const cloud = await stubCloud({ home });
      const sqs = new Sqs(cloud, () => 'http://localhost');
      const { attributes } = await deploy(sqs, 'AWS::SQS::Queue', {
        QueueName: 'q',
        VisibilityTimeout: 43_200,
      });
      const at = { caller: testRole, queueArn: attributes!['Arn'] as string };
      // What was in flight when the process died comes back at once: nobody is left to delete it.
      const found = new Map<string, string>();
      for (;;) {
        const messages = await sqs.receive({ ...at, max: 10, waitMs: 0 });
        if (messages.length === 0) break;
        for (const { messageId, body } of messages) found.set(messageId, body);
      }
      const said = acknowledged.map((line) => line.split(' ') as [string, string, string]);
      const deleted = new Set(said.filter(([what]) => what === 'deleted').map(([, id]) => id));
      const missing = said.filter(([what, id]) => what === 'sent' && !deleted.has(id) && !found.has(id));
      // One deletion may have been done whose acknowledgement was not written any more.
      expect(missing.length).toBeLessThanOrEqual(1);
      for (const [what, id, round] of said) {
        if (what === 'sent' && found.has(id)) expect(found.get(id)).toBe(`body ${round}`);
        if (what === 'deleted') expect(found.has(id)).toBe(false);
      }
      await sqs.stop();
      await removeHome(cloud);
    },
  );
});
