import { describe, expect, it } from 'vitest';
import { AwsError } from '../../../lib/local/aws-error.ts';
import type { Access, Caller } from '../../../lib/local/cloud.ts';
import { index, properties, S, served, world } from './world.ts';

const arn = 'arn:aws:dynamodb:us-east-1:000000000000:table/table';
const key = { pk: S('o1'), sk: S('x') };
const role: Caller = {
  kind: 'role',
  roleArn: 'arn:aws:iam::000000000000:role/api',
  arn: 'a',
  accessKeyId: 'A',
  functionName: 'api',
};
const denied = (access: Access) =>
  new AwsError(
    'AccessDenied',
    `User: x is not authorized to perform: ${access.action} on resource: ${access.resource}`,
    { status: 403 },
  );

async function asked(action: string, input: object): Promise<Access[]> {
  const here = world();
  const { attributes } = await here.deploy(properties([index('g', 'g')]));
  here.asked.length = 0;
  const StreamArn = attributes!['StreamArn'];
  here.call(action, JSON.parse(JSON.stringify(input).replaceAll('STREAM', String(StreamArn))), role);
  await here.stop();
  expect(here.asked.every(({ caller }) => caller === role)).toBe(true);
  return here.asked;
}
const brief = (list: Access[]) =>
  list.map(({ action, resource, context }) => [action, resource, context?.['dynamodb:LeadingKeys']]);

describe('what IAM is asked', () => {
  const TableName = 'table';
  const values = { ExpressionAttributeValues: { ':v': S('o1') } };
  it.each([
    ['PutItem', { TableName, Item: key }, [['dynamodb:PutItem', arn, ['o1']]]],
    ['GetItem', { TableName, Key: key }, [['dynamodb:GetItem', arn, ['o1']]]],
    ['UpdateItem', { TableName, Key: key }, [['dynamodb:UpdateItem', arn, ['o1']]]],
    ['DeleteItem', { TableName, Key: key }, [['dynamodb:DeleteItem', arn, ['o1']]]],
    ['Query', { TableName, KeyConditionExpression: 'pk = :v', ...values }, [['dynamodb:Query', arn, ['o1']]]],
    [
      'Query',
      { TableName, IndexName: 'g', KeyConditionExpression: 'g = :v', ...values },
      [['dynamodb:Query', `${arn}/index/g`, ['o1']]],
    ],
    ['Scan', { TableName, IndexName: 'g' }, [['dynamodb:Scan', `${arn}/index/g`, undefined]]],
    [
      'BatchGetItem',
      { RequestItems: { table: { Keys: [key, { pk: S('o2'), sk: S('y') }] } } },
      [['dynamodb:BatchGetItem', arn, ['o1', 'o2']]],
    ],
    [
      'BatchWriteItem',
      { RequestItems: { table: [{ DeleteRequest: { Key: key } }] } },
      [['dynamodb:BatchWriteItem', arn, ['o1']]],
    ],
    [
      'TransactWriteItems',
      {
        TransactItems: [
          { Put: { TableName, Item: { pk: S('a'), sk: S('1') } } },
          {
            Update: { TableName, Key: { pk: S('b'), sk: S('1') }, UpdateExpression: 'SET n = :v', ...values },
          },
          { Delete: { TableName, Key: { pk: S('c'), sk: S('1') } } },
          {
            ConditionCheck: {
              TableName,
              Key: { pk: S('d'), sk: S('1') },
              ConditionExpression: 'attribute_not_exists(pk)',
            },
          },
        ],
      },
      [
        ['dynamodb:PutItem', arn, ['a']],
        ['dynamodb:UpdateItem', arn, ['b']],
        ['dynamodb:DeleteItem', arn, ['c']],
        ['dynamodb:ConditionCheckItem', arn, ['d']],
      ],
    ],
    [
      'TransactGetItems',
      { TransactItems: [{ Get: { TableName, Key: key } }] },
      [['dynamodb:GetItem', arn, ['o1']]],
    ],
    ['DescribeTable', { TableName }, [['dynamodb:DescribeTable', arn, undefined]]],
    ['ListTables', {}, [['dynamodb:ListTables', '*', undefined]]],
  ])('by %s %#', async (action, input, expected) => {
    expect(brief(await asked(action, input))).toEqual(expected);
  });

  it('by a stream reader', async () => {
    const [described] = await asked('DescribeStream', { StreamArn: 'STREAM' });
    expect(described).toMatchObject({
      action: 'dynamodb:DescribeStream',
      resource: expect.stringContaining(`${arn}/stream/2`),
    });
    const here = world();
    const stream = String((await here.deploy(properties())).attributes!['StreamArn']);
    here.asked.length = 0;
    here.dynamodb.readStream(role, stream, 'TRIM_HORIZON', 1);
    expect(brief(here.asked)).toEqual([
      ['dynamodb:DescribeStream', stream, undefined],
      ['dynamodb:GetShardIterator', stream, undefined],
      ['dynamodb:GetRecords', stream, undefined],
    ]);
    await here.stop();
  });

  it('names the attributes and the transaction around a write', async () => {
    const update = {
      TableName,
      Key: key,
      UpdateExpression: 'SET a.b = c',
      ConditionExpression: 'attribute_not_exists(d)',
    };
    const failing = world({
      authorize: (access) => {
        throw denied(access);
      },
    });
    await failing.deploy(properties());
    expect(() => failing.call('TransactWriteItems', { TransactItems: [{ Update: update }] })).toThrow(
      /not authorized/,
    );
    expect(failing.asked[0]!.context).toMatchObject({
      'dynamodb:EnclosingOperation': 'TransactWriteItems',
      'dynamodb:Attributes': expect.arrayContaining(['pk', 'sk', 'a', 'c', 'd']),
    });
    await failing.stop();
  });
});

describe('a denied call', () => {
  it('changes nothing, is a 400 in this protocol, and hides which tables exist', async () => {
    const here = world({
      authorize: (access) => {
        if (access.action !== 'dynamodb:GetItem') throw denied(access);
      },
    });
    await here.deploy(properties());
    const http = await served(here);
    const send = async (action: string, input: object) => {
      const response = await fetch(http.settings.endpoint, {
        method: 'POST',
        headers: { 'x-amz-target': `DynamoDB_20120810.${action}` },
        body: JSON.stringify(input),
      });
      return { status: response.status, body: (await response.json()) as any };
    };
    const put = await send('PutItem', { TableName: 'table', Item: key });
    expect(put).toEqual({
      status: 400,
      body: {
        __type: 'com.amazon.coral.service#AccessDeniedException',
        Message: `User: x is not authorized to perform: dynamodb:PutItem on resource: ${arn}`,
      },
    });
    expect((await send('PutItem', { TableName: 'nowhere', Item: key })).body.__type).toMatch(/AccessDenied/);
    const half = await send('TransactWriteItems', {
      TransactItems: [{ Put: { TableName: 'table', Item: key } }],
    });
    expect(half.body.__type).toMatch(/AccessDenied/);
    expect(here.call('GetItem', { TableName: 'table', Key: key })).toEqual({});
    expect(here.calls.map(({ error }) => error)).toEqual([
      'AccessDenied',
      'AccessDenied',
      'AccessDenied',
      undefined,
    ]);
    await http.close();
    await here.stop();
  });
});
