import { expect, it, vi } from 'vitest';
import { DynamoDb } from '../../../lib/local/dynamodb/dynamodb.ts';
import { Sqs } from '../../../lib/local/sqs/sqs.ts';
import { deploy, removeHome, stubCloud, testRole } from '../../support/service-endpoint.ts';
import { bodyOf, LambdaHouse } from './lambda-house.ts';

it("is fed by the local cloud's own queues and streams", async () => {
  const cloud = await stubCloud();
  const queues = new Sqs(cloud, () => 'http://127.0.0.1:1');
  const streams = new DynamoDb(cloud);
  const queue = await deploy(queues, 'AWS::SQS::Queue', { QueueName: 'incoming' });
  const table = await deploy(streams, 'AWS::DynamoDB::Table', {
    TableName: 'mail',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
  });
  const house = await LambdaHouse.open({ home: cloud.home, clock: cloud.clock }, { queues, streams });
  const seen: any[] = [];
  house.answer = (request, response) => {
    void bodyOf(request).then(({ Records }) => {
      seen.push(...Records);
      response.end('{}');
    });
  };
  await house.addFunction('batch');
  const queueArn = queue.attributes!['Arn'] as string;
  const map = (id: string, properties: object) =>
    house.deploy('AWS::Lambda::EventSourceMapping', id, { FunctionName: 'batch', ...properties });
  await map('Queue', { EventSourceArn: queueArn });
  const pattern = JSON.stringify({ dynamodb: { NewImage: { type: { S: ['event'] } } } });
  await map('Stream', {
    ...{ EventSourceArn: table.attributes!['StreamArn'], StartingPosition: 'LATEST' },
    FilterCriteria: { Filters: [{ Pattern: pattern }] },
  });
  house.lambda.start();
  await queues.send({ caller: testRole, queueArn, body: 'hello' });
  for (const [pk, type] of [
    ['a', 'row'],
    ['b', 'event'],
  ]) {
    const input = { TableName: 'mail', Item: { pk: { S: pk }, type: { S: type } } };
    streams.call('DynamoDB_20120810.PutItem', input, testRole);
  }
  await vi.waitFor(() => expect(seen).toHaveLength(2), 5_000);
  expect(seen.find(({ eventSource }) => eventSource === 'aws:sqs')).toMatchObject({ body: 'hello' });
  expect(seen.find(({ eventSource }) => eventSource === 'aws:dynamodb').dynamodb.NewImage.pk).toEqual({
    S: 'b',
  });
  await house.lambda.stop();
  await vi.waitFor(async () => {
    const left = await queues.receive({ caller: testRole, queueArn, max: 1, waitMs: 0 });
    expect(left).toEqual([]);
  });
  await queues.stop();
  await streams.stop();
  await house.closeServer();
  await removeHome(cloud);
});
