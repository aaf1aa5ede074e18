import type { DynamoDBRecord, DynamoDBStreamEvent, SQSEvent, SQSRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readEnv } from '../../lib/edge/env.ts';
import { createLog } from '../../lib/edge/log.ts';
import { queueDoor } from '../../lib/edge/queue.ts';
import { streamDoor } from '../../lib/edge/stream.ts';
import { lambdaContext } from './api-event.ts';

function recorder() {
  const lines: any[] = [];
  return {
    lines,
    log: createLog(
      (line) => lines.push(JSON.parse(line)),
      () => 0,
    ),
  };
}

describe('a queue’s door', () => {
  const event = (...bodies: string[]): SQSEvent => ({
    Records: bodies.map((body, n) => ({ messageId: `m${n}`, body }) as SQSRecord),
  });

  it('fails the message that fails and no other', async () => {
    const { lines, log } = recorder();
    const done: number[] = [];
    const door = queueDoor({
      parse: (body) => (JSON.parse(body) as { n: number }).n,
      run: async (n) => {
        if (n === 3) throw new Error('three');
        done.push(n);
      },
      log,
    });
    expect(await door(event('{"n":1}', 'no json', '{"n":3}', '{"n":4}'), lambdaContext)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm1' }, { itemIdentifier: 'm2' }],
    });
    expect(done).toEqual([1, 4]);
    expect(lines.map(({ message_id, error }) => [message_id, error.name])).toEqual([
      ['m1', 'SyntaxError'],
      ['m2', 'Error'],
    ]);
    expect(await door(event('{"n":1}'), lambdaContext)).toEqual({ batchItemFailures: [] });
  });
});

describe('a stream’s door', () => {
  const event = (...numbers: string[]): DynamoDBStreamEvent => ({
    Records: numbers.map((SequenceNumber): DynamoDBRecord => ({ dynamodb: { SequenceNumber } })),
  });

  const door = (failing: string[], unreadable = '') => {
    const { lines, log } = recorder();
    const batches: string[][] = [];
    const run = streamDoor({
      parse({ dynamodb }) {
        const number = dynamodb!.SequenceNumber!;
        if (number === unreadable) throw new Error('what is this?');
        return number === '2' ? undefined : number;
      },
      run: async (numbers) => {
        batches.push(numbers);
        return numbers.flatMap((number, at) =>
          failing.includes(number) ? [{ at, error: new Error('no') }] : [],
        );
      },
      log,
    });
    return { lines, batches, run };
  };

  it('gives the batch as a whole, and asks for it again from the first record that failed', async () => {
    const { lines, batches, run } = door(['4', '3']);
    expect(await run(event('1', '2', '3', '4'), lambdaContext)).toEqual({
      batchItemFailures: [{ itemIdentifier: '3' }],
    });
    expect(batches).toEqual([['1', '3', '4']]);
    expect(lines.map(({ level, sequence_number }) => [level, sequence_number])).toEqual([
      ['error', '3'],
      ['error', '4'],
    ]);
    expect(await run(event('1', '2'), lambdaContext)).toEqual({ batchItemFailures: [] });
    expect(await run(event('2'), lambdaContext)).toEqual({ batchItemFailures: [] });
    expect(batches).toHaveLength(2);
  });

  it('takes nothing behind a record it cannot read', async () => {
    const { batches, run } = door([], '3');
    expect(await run(event('1', '3', '4'), lambdaContext)).toEqual({
      batchItemFailures: [{ itemIdentifier: '3' }],
    });
    expect(batches).toEqual([['1']]);
  });
});

describe('the log', () => {
  it('never shows what opens or tells', () => {
    const { lines, log } = recorder();
    log.info('x', {
      authorization: 'A',
      headers: { a: 1 },
      body: 'B',
      key: { private_jwk: { d: 'D' } },
      d: 'D',
      text: 'T',
      html: 'H',
      subject: 'S',
      download_url: 'U',
      webhook: { secret: 'W' },
      page_token: 'P',
      inbox: 'inb_1',
      bytes: new Uint8Array(5),
    });
    expect(JSON.stringify(lines[0])).not.toMatch(/"[ABDTHSUWP]"/);
    expect(lines[0]).toMatchObject({ level: 'info', message: 'x', inbox: 'inb_1', bytes: '5 bytes' });
  });
  it('bounds what it writes, in length, depth and circles, and keeps to the plain members of an error', () => {
    const { lines, log } = recorder();
    const circle: Record<string, unknown> = { long: 'a'.repeat(5000), many: Array(100).fill(1) };
    circle['circle'] = circle;
    const error = Object.assign(new Error('outer', { cause: new Error('inner') }), {
      $response: { stuff: 'mail of a tenant' },
    });
    log.error('x', { circle, error });
    expect(lines[0].circle.long).toHaveLength(2049);
    expect(lines[0].circle.many).toHaveLength(20);
    expect(lines[0].error).toMatchObject({ message: 'outer', cause: { message: 'inner' } });
    expect(JSON.stringify(lines[0])).not.toContain('mail of a tenant');
  });
});

describe('the environment', () => {
  const schema = z.object({ TABLE_NAME: z.string(), MODE: z.enum(['a', 'b']) });
  it('is read by its schema', () =>
    expect(readEnv(schema, { TABLE_NAME: 't', MODE: 'a', OTHER: 'x' })).toEqual({
      TABLE_NAME: 't',
      MODE: 'a',
    }));
  it('names what is wrong', () => expect(() => readEnv(schema, { MODE: 'c' })).toThrow(/TABLE_NAME.*MODE/));
});
