import { App, type Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { announced } from '../../lib/contract/event.ts';
import { eventSource } from '../../lib/infra/announce.ts';
import { eventsPage, eventsSchema, page, schemaFile } from './events-page.ts';
import { RemoteSubscriber } from './remote-subscriber.ts';
import { Subscriber } from './subscriber.ts';

it('docs/events.md is what the catalogue says', async () => {
  await expect(await eventsPage()).toMatchFileSnapshot(`../../${page}`);
});

it('docs/events.schema.json is what the catalogue says', async () => {
  await expect(await eventsSchema()).toMatchFileSnapshot(`../../${schemaFile}`);
});

it('docs/events.md has a heading for every type, and no type of its own', async () => {
  const headings = (await eventsPage()).split('\n').filter((line) => /^## .*\./.test(line));
  expect(headings).toEqual(announced.map((type) => `## ${type}`));
});

describe('the sample stacks, as printed', () => {
  const synthesized = (make: (app: App) => Stack) =>
    Template.fromStack(make(new App({ analyticsReporting: false })));

  it('subscribe in the same account', () => {
    const template = synthesized((app) => new Subscriber(app, 'subscriber'));
    template.hasResourceProperties('AWS::Events::Rule', {
      EventBusName: 'posthorn-prod',
      EventPattern: { source: [eventSource], 'detail-type': ['message.received'] },
      Targets: [{ Arn: Match.anyValue(), DeadLetterConfig: Match.anyValue() }],
    });
    template.hasResourceProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Principal: { Service: 'events.amazonaws.com' }, Action: Match.anyValue() }),
        ]),
      },
    });
  });

  it('subscribe from another account through a bus of its own', () => {
    const template = synthesized((app) => new RemoteSubscriber(app, 'remote'));
    const busId = Object.keys(template.findResources('AWS::Events::EventBus'))[0]!;
    const bus = { 'Fn::GetAtt': [busId, 'Arn'] };
    template.hasResourceProperties('AWS::Events::Rule', {
      EventBusName: Match.stringLikeRegexp('^arn:aws:events:.*:111122223333:event-bus/posthorn-prod$'),
      EventPattern: { source: [eventSource] },
      Targets: [{ Arn: bus, RoleArn: Match.anyValue() }],
    });
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 'events:PutEvents', Resource: bus }] },
    });
    template.hasResourceProperties('AWS::Events::Rule', { EventBusName: { Ref: busId } });
  });
});
