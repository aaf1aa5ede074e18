import { Stack, type StackProps } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** Hears of mail in the inboxes of one organization, in the account and Region of the mailroom. */
export class Subscriber extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const deadLetterQueue = new Queue(this, 'dead-letters', { enforceSSL: true });
    const queue = new Queue(this, 'mail', { enforceSSL: true });
    new Rule(this, 'received', {
      // The stage `prod`; the bus of another one is called posthorn-<stage>.
      eventBus: EventBus.fromEventBusName(this, 'mailroom', 'posthorn-prod'),
      eventPattern: {
        source: ['posthorn'],
        detailType: ['message.received'],
        detail: { organization_id: ['org_01kaexample'] },
      },
      targets: [new SqsQueue(queue, { deadLetterQueue })],
    });
  }
}
