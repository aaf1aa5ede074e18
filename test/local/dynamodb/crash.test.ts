import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { World } from './world.ts';
import { index, N, operator, properties, S, world } from './world.ts';

const WRITER = fileURLToPath(new URL('crash-writer.ts', import.meta.url));
const TableName = 'table';

/** Lets a process write until so many writes are acknowledged, then kills it; answers all that it acknowledged. */
async function writeAndKill(home: string, mode: string, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, home, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.split('\n').length > count) child.kill('SIGKILL');
  });
  const [signal] = await Promise.all([
    new Promise((resolve) => child.on('exit', (_, by) => resolve(by))),
    new Promise((resolve) => child.stdout.on('close', resolve)),
  ]);
  expect(signal).toBe('SIGKILL');
  return output.split('\n').slice(0, -1);
}

function keysOf(here: World, input: object): string[] {
  const keys: string[] = [];
  let start: object | undefined;
  do {
    const page = here.call('Scan', { TableName, ...input, ...(start ? { ExclusiveStartKey: start } : {}) });
    keys.push(...page.Items.map((item: any) => `${item.pk.S}/${item.sk.S}`));
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return keys.sort();
}

describe('kill -9', () => {
  it.each(['quick', 'durable'])(
    'loses nothing that was acknowledged and leaves nothing half done (%s)',
    { timeout: 30_000 },
    async (mode) => {
      const home = mkdtempSync(join(tmpdir(), 'dynamodb-crash-'));
      const acknowledged = [
        ...(await writeAndKill(home, mode, 150)),
        ...(await writeAndKill(home, mode, 100)),
      ];
      expect(acknowledged.length).toBeGreaterThanOrEqual(250);
      const here = world({ home });
      const stream = String((await here.deploy(properties([index('g', 'g')]))).attributes!['StreamArn']);
      const stored = keysOf(here, {});

      const expected = acknowledged.flatMap((line) => {
        const [kind, name] = line.split(' ');
        return kind === 'single' ? [`single/${name}`] : [1, 2, 3].map((part) => `part${part}/${name}`);
      });
      expect(expected.filter((key) => !stored.includes(key))).toEqual([]);

      const parts = stored.filter((key) => key.startsWith('part'));
      const transactions = new Set(parts.map((key) => key.split('/')[1]));
      expect(parts).toHaveLength(transactions.size * 3);
      const total = here.call('GetItem', { TableName, Key: { pk: S('total'), sk: S('t') } });
      expect(total.Item.n).toEqual(N(transactions.size));

      expect(keysOf(here, { IndexName: 'g' })).toEqual(stored.filter((key) => key !== 'total/t'));
      const records = here.dynamodb.readStream(operator, stream, 'TRIM_HORIZON', 1_000_000);
      const announced = records.map(({ dynamodb: { Keys } }) => {
        const { pk, sk } = Keys as Record<'pk' | 'sk', { S: string }>;
        return `${pk.S}/${sk.S}`;
      });
      expect([...new Set(announced)].sort()).toEqual(stored);
      expect(records).toHaveLength(stored.length - 1 + transactions.size);
      await here.stop();
    },
  );
});
