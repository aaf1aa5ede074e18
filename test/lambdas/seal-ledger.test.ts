import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { lineRow } from '../../lib/adapters/dynamo/line-rows.ts';
import { sealStore } from '../../lib/adapters/dynamo/seal-store.ts';
import type { Line } from '../../lib/contract/ledger.ts';
import { sampleLine } from '../support/ledger-samples.ts';
import { organizationId } from '../support/mail-samples.ts';
import { tableHouse, type TableHouse } from '../support/table-house.ts';
import { freshHandler } from '../support/fresh-handler.ts';

let house: TableHouse;
let handler: (event: any, context: never) => Promise<void>;
const logged: any[] = [];

beforeEach(async () => {
  house = await tableHouse();
  for (const [name, value] of Object.entries({
    TABLE_NAME: 'mailroom',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIATEST',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_ENDPOINT_URL_DYNAMODB: house.url,
  }))
    vi.stubEnv(name, value);
  logged.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    for (const line of String(text)
      .split('\n')
      .filter((one) => one.startsWith('{')))
      logged.push(JSON.parse(line));
    return true;
  });
  handler = await freshHandler('seal-ledger');
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await house.close();
});

const write = (line: Line, more = {}) =>
  house.database.client.send(new PutCommand({ TableName: 'mailroom', Item: { ...lineRow(line), ...more } }));
/** Line n, of now. */
const lineNow = (n: number): Line => sampleLine(n, { time: new Date(house.now()).toISOString() });
/** All the stream has of lines, as the mapping filters it. */
const hear = () =>
  handler(
    { Records: house.stream().filter((record) => JSON.stringify(record).includes('"line"')) },
    undefined as never,
  );
const sealedIds = async () =>
  (await sealStore(house.database).list(organizationId, { limit: 100, ascending: true })).items.map(
    ({ line_ids }) => line_ids,
  );

it('seals each line once, however often it hears of it', async () => {
  const lines = [1, 2, 3].map(lineNow);
  for (const line of lines) await write(line);
  await hear();
  await hear();
  const more = lineNow(4);
  await write(more);
  await hear();
  expect(await sealedIds()).toEqual([lines.map(({ line_id }) => line_id), [more.line_id]]);
  expect(logged).toEqual([]);
});

it('says so when a line is changed or removed, and seals nothing anew', async () => {
  const line = lineNow(1);
  await write(line);
  await hear();
  await write({ ...line, outcome: 'denied' });
  const { pk, sk } = lineRow(line);
  await house.database.client.send(new DeleteCommand({ TableName: 'mailroom', Key: { pk, sk } }));
  await hear();
  expect(await sealedIds()).toEqual([[line.line_id]]);
  expect(logged).toMatchObject([
    { level: 'error', message: 'a line of the ledger was tampered with', event: 'MODIFY' },
    { level: 'error', message: 'a line of the ledger was tampered with', event: 'REMOVE' },
  ]);
});

it('passes over what is no line and what is dated back, and seals the others', async () => {
  const good = lineNow(1);
  await write(sampleLine(2), { outcome: 'fine' });
  await write(sampleLine(3, { time: '2020-01-01T00:00:00.000Z' }));
  await write(good);
  await hear();
  expect(await sealedIds()).toEqual([[good.line_id]]);
  expect(logged.map(({ message }) => message)).toEqual([
    'record cannot be read',
    'a line claims a time that is not that of its writing',
  ]);
});

it('fails as a whole while the table cannot be written, so that the stream comes again', async () => {
  await write(lineNow(1));
  const records = house.stream();
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', 'http://127.0.0.1:1');
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
  const cutOff = await freshHandler<typeof handler>('seal-ledger');
  await expect(cutOff({ Records: records }, undefined as never)).rejects.toThrow(/ECONNREFUSED/);
  expect(await sealedIds()).toEqual([]);
  // The SDK reads it at the first call.
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', house.url);
  await hear();
  expect(await sealedIds()).toHaveLength(1);
});
