import { Stack, type StackProps } from 'aws-cdk-lib';
import { CfnRule, EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

const mailroom = 'arn:aws:events:us-east-1:111122223333:event-bus/posthorn-prod';

/** Hears of everything in a mailroom of another account, which names this one in `busSubscribers`. */
export class RemoteSubscriber extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const bus = new EventBus(this, 'bus');
    const forward = new Role(this, 'forward', { assumedBy: new ServicePrincipal('events.amazonaws.com') });
    bus.grantPutEventsTo(forward);
    // It stands on the mailroom's bus and belongs to this account. Without the source it is refused.
    new CfnRule(this, 'from-mailroom', {
      eventBusName: mailroom,
      eventPattern: { source: ['posthorn'] },
      targets: [{ id: 'own-bus', arn: bus.eventBusArn, roleArn: forward.roleArn }],
    });
    const queue = new Queue(this, 'events', { enforceSSL: true });
    new Rule(this, 'all', {
      eventBus: bus,
      eventPattern: { source: ['posthorn'] },
      targets: [new SqsQueue(queue)],
    });
  }
}
