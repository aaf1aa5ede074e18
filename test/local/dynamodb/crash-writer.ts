import { writeSync } from 'node:fs';
import { index, N, properties, S, world } from './world.ts';

// Writes through the engine until it is killed, and acknowledges each write on stdout once the engine has answered.
const here = world({ home: process.argv[2]!, durable: process.argv[3] === 'durable' });
await here.deploy(properties([index('g', 'g')]));
const TableName = 'table';
const from = here.call('Scan', { TableName, Select: 'COUNT' }).Count as number;

for (let at = from; ; at++) {
  const name = `${process.pid}-${at}`;
  if (at % 2 === 0) {
    here.call('PutItem', {
      TableName,
      Item: { pk: S('single'), sk: S(name), g: S('g'), body: S('x'.repeat(500)) },
    });
    writeSync(1, `single ${name}\n`);
  } else {
    const parts = [1, 2, 3].map((part) => ({
      Put: {
        TableName,
        Item: { pk: S(`part${part}`), sk: S(name), g: S('g') },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    }));
    const total = {
      Update: {
        TableName,
        Key: { pk: S('total'), sk: S('t') },
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': N(1) },
      },
    };
    here.call('TransactWriteItems', { TransactItems: [...parts, total], ClientRequestToken: name });
    writeSync(1, `transaction ${name}\n`);
  }
}
