import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startOracle } from './dynalite-oracle.ts';
import type { RandomRequest } from './random-requests.ts';
import { randomRequest } from './random-requests.ts';
import type { World } from './world.ts';
import { index, properties, world } from './world.ts';
import { thorough } from '../../support/thorough.ts';

// Another seed or more runs look further: DIFFERENTIAL_SEED=7 DIFFERENTIAL_RUNS=1000.
const ALL = 120;
const RUNS = Number(process.env['DIFFERENTIAL_RUNS'] ?? (thorough ? ALL : ALL / 3));
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 15);

interface Answer {
  output?: any;
  error?: string;
  message?: string;
}
interface Difference {
  what: string;
  why: string;
  /** `stored`: the JSON of every item, as the engine has them afterwards. */
  applies(request: RandomRequest, ours: Answer, theirs: Answer, stored: string): boolean;
}

const says = (answer: Answer, text: RegExp) => text.test(answer.message ?? '');
const text = ({ input }: RandomRequest, ...parameters: string[]) =>
  parameters.map((parameter) => String(input[parameter] ?? '')).join(' ');

/** Where the engine answers otherwise than dynalite, on purpose. */
const differences: Difference[] = [
  {
    what: 'an update that only takes away creates no item',
    why: 'seen on AWS (scylladb issue 5862); dynalite creates an item of the key alone',
    applies: (request, ours, theirs) =>
      request.action === 'UpdateItem' &&
      !/SET|ADD/.test(text(request, 'UpdateExpression')) &&
      ours.error === undefined &&
      theirs.error === undefined,
  },
  {
    what: 'an empty key value in a KeyConditionExpression is refused',
    why: 'AWS: the AttributeValue for a key attribute cannot contain an empty string value; dynalite finds nothing',
    applies: (request, ours, theirs) =>
      request.action === 'Query' && says(ours, /cannot contain an empty/) && theirs.error === undefined,
  },
  {
    what: 'an update to an empty index key is refused',
    why: 'AWS takes no empty string or binary for the key of an index; dynalite stores and indexes it',
    applies: (request, ours) =>
      request.action === 'UpdateItem' && says(ours, /secondary index key.*cannot contain an empty/),
  },
  {
    what: 'a value of a type without order is refused beside <, > and BETWEEN',
    why: 'AWS checks the operand type before it looks at items; dynalite compares and answers false',
    applies: (_request, ours) =>
      says(ours, /Incorrect operand type.*operator: (<|>|<=|>=|BETWEEN), operand type/),
  },
  {
    what: 'two absent operands do not compare',
    why: 'a comparison with an attribute that is not there is false on AWS; to dynalite undefined equals undefined',
    applies: (request, ours) =>
      !says(ours, /^Invalid \w+Expression/) &&
      /(size\([^)]*\)|[\w#.[\]]+) (=|<=|>=) (size\(|[a-z#])/.test(
        text(request, 'ConditionExpression', 'FilterExpression'),
      ),
  },
  {
    what: 'an empty string, an empty binary and false are values',
    why: 'AWS has stored empty values since 2020; dynalite takes these three for absent in functions, IN and BETWEEN',
    applies: (request, ours, theirs, stored) =>
      !says(ours, /^Invalid \w+Expression/) &&
      !says(theirs, /^Invalid \w+Expression/) &&
      /"[SB]":""|"BOOL":false/.test(JSON.stringify(request) + stored) &&
      /attribute_type|size|BETWEEN| in |begins_with|contains/.test(
        text(request, 'ConditionExpression', 'FilterExpression'),
      ),
  },
];

let oracle: Awaited<ReturnType<typeof startOracle>>;
let ours: World;
const attributes = ['pk', 'sk', 'g', 'h'].map((AttributeName) => ({
  AttributeName,
  AttributeType: AttributeName === 'sk' ? 'N' : 'S',
}));
const indexes = [
  index('all', 'g', 'h'),
  index('keys', 'g', 'h', { ProjectionType: 'KEYS_ONLY' }),
  index('some', 'g', 'h', { ProjectionType: 'INCLUDE', NonKeyAttributes: ['a', 'b'] }),
];
const table = properties(indexes, { AttributeDefinitions: attributes, TableName: 'table' });

beforeAll(async () => {
  oracle = await startOracle();
  const { StreamSpecification: _s, TimeToLiveSpecification: _t, Replicas: _r, ...plain } = table as any;
  const created = await oracle.call('CreateTable', plain);
  expect(created.error).toBeUndefined();
  for (;;) {
    const { output } = await oracle.call('DescribeTable', { TableName: 'table' });
    const states = [output.Table, ...output.Table.GlobalSecondaryIndexes];
    if (states.every((one: any) => (one.TableStatus ?? one.IndexStatus) === 'ACTIVE')) break;
  }
  ours = world();
  await ours.deploy(table);
});
afterAll(async () => {
  await ours.stop();
  await oracle.stop();
});

function ask({ action, input }: RandomRequest): Answer {
  try {
    return { output: JSON.parse(JSON.stringify(ours.call(action, input))) };
  } catch (error: any) {
    return { error: error.code, message: error.message };
  }
}

function stored(): string {
  return JSON.stringify(ours.call('Scan', { TableName: 'table' }).Items);
}

/** Sets in order; items in order where the order is the engine's own. */
function comparable({ action, input }: RandomRequest, answer: Answer): unknown {
  if (answer.error !== undefined) return answer.error;
  const output = sorted(answer.output) as any;
  if (output.Attributes !== undefined && Object.keys(output.Attributes).length === 0)
    delete output.Attributes;
  const unordered = action === 'Scan' || input['IndexName'] !== undefined;
  if (unordered) output.Items = byText(output.Items);
  if (action === 'BatchGetItem') output.Responses.table = byText(output.Responses.table);
  return output;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, /^[SNB]S$/.test(key) ? [...inner].sort() : sorted(inner)]),
  );
}

function byText(items: unknown[]): unknown[] {
  return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function writtenKeys({ action, input }: RandomRequest): any[] {
  if (action === 'BatchWriteItem') {
    return input['RequestItems'].table.map((one: any) =>
      keyOf(one.PutRequest?.Item ?? one.DeleteRequest.Key),
    );
  }
  return /Put|Update|Delete/.test(action) ? [keyOf(input['Item'] ?? input['Key'])] : [];
}

function keyOf({ pk, sk }: any) {
  return { pk, sk };
}

async function sameState(keys: any[]): Promise<boolean> {
  for (const Key of keys) {
    const get = { action: 'GetItem', input: { TableName: 'table', Key } };
    const theirs = await oracle.call('GetItem', get.input);
    if (JSON.stringify(comparable(get, ask(get))) !== JSON.stringify(comparable(get, theirs))) return false;
  }
  return true;
}

/** Brings the oracle to our state again after a listed difference. */
async function mend(keys: any[]): Promise<void> {
  for (const Key of keys) {
    const item = ours.call('GetItem', { TableName: 'table', Key }).Item;
    if (item === undefined) await oracle.call('DeleteItem', { TableName: 'table', Key });
    else await oracle.call('PutItem', { TableName: 'table', Item: item });
  }
}

describe('against dynalite', () => {
  it(
    'answers random requests as the oracle does, save the listed differences',
    { timeout: 120_000 },
    async () => {
      const seen = new Map<string, number>();
      const unexpected: unknown[] = [];
      let [requests, errors] = [0, 0];
      const property = fc.asyncProperty(
        fc.array(randomRequest, { minLength: 20, maxLength: 40 }),
        async (sequence) => {
          for (const request of sequence) {
            requests++;
            const mine = ask(request);
            const theirs = await oracle.call(request.action, structuredClone(request.input));
            if (mine.error !== undefined) errors++;
            const keys = writtenKeys(request);
            const same =
              JSON.stringify(comparable(request, mine)) === JSON.stringify(comparable(request, theirs)) &&
              (await sameState(keys));
            if (same) continue;
            const difference = differences.find((one) => one.applies(request, mine, theirs, stored()));
            if (difference === undefined) unexpected.push({ request, ours: mine, theirs });
            else seen.set(difference.what, (seen.get(difference.what) ?? 0) + 1);
            await mend(keys);
          }
        },
      );
      await fc.assert(property, { seed: SEED, numRuns: RUNS, endOnFailure: true });
      expect(unexpected.slice(0, 3)).toEqual([]);
      expect(requests).toBeGreaterThan(RUNS * 19);
      expect(errors).toBeGreaterThan(RUNS);
      // With the seed this list was made for, each difference is still there to be seen.
      if (SEED !== 15 || RUNS !== ALL) return;
      expect([...seen.keys()].sort()).toEqual(differences.map(({ what }) => what).sort());
    },
  );
});
