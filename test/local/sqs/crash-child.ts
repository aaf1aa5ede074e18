import { writeSync } from 'node:fs';
import { Sqs } from '../../../lib/local/sqs/sqs.ts';
import { deploy, stubCloud, testRole } from '../../support/service-endpoint.ts';

// Sends, receives and deletes until it is killed, and writes each acknowledgement as it comes.
const cloud = await stubCloud({ home: process.argv[2]! });
const sqs = new Sqs(cloud, () => 'http://localhost');
const { attributes } = await deploy(sqs, 'AWS::SQS::Queue', { QueueName: 'q', VisibilityTimeout: 43_200 });
const at = { caller: testRole, queueArn: attributes!['Arn'] as string };

for (let round = 0; ; round++) {
  const { messageId } = await sqs.send({ ...at, body: `body ${round}` });
  writeSync(1, `sent ${messageId} ${round}\n`);
  if (round % 3 !== 0) continue;
  for (const { messageId: received, receiptHandle } of await sqs.receive({ ...at, max: 1, waitMs: 0 })) {
    await sqs.delete({ ...at, receiptHandle });
    writeSync(1, `deleted ${received}\n`);
  }
}
