import { describe, expect, it } from 'vitest';
import { configFrom } from '../../lib/infra/config.ts';
import { synthesize } from '../../lib/infra/synthesize.ts';

const options = { mailDomain: 'mail.acme.io', bundle: false } as const;
const { template } = synthesize(options);
const all = (type: string, of = template): [string, any][] =>
  Object.entries<any>(of['Resources']).filter(([, { Type }]) => Type === type);

describe('the queues of work', () => {
  const queue = (name: string) =>
    all('AWS::SQS::Queue').find(([id]) => new RegExp(`^work${name}[0-9A-F]{8}$`).test(id))![1].Properties;

  it.each([
    ['deliveries', 6 * 60],
    ['removals', 20 * 60],
  ])('%s hides a message for %d seconds, and gives it up after five', (name, seconds) => {
    expect(queue(name)).toMatchObject({
      VisibilityTimeout: seconds,
      MessageRetentionPeriod: 14 * 24 * 3600,
      RedrivePolicy: { maxReceiveCount: 5 },
    });
    // Standard: a message of one group never waits for another.
    expect(queue(name)).not.toHaveProperty('FifoQueue');
  });

  it('are told of by publish-event and fed by nobody else', () => {
    const fn = all('AWS::Lambda::Function').find(([id]) => id.startsWith('announce'))![1];
    const { DELIVERIES_QUEUE_URL, REMOVALS_QUEUE_URL } = fn.Properties.Environment.Variables;
    expect([DELIVERIES_QUEUE_URL.Ref, REMOVALS_QUEUE_URL.Ref]).toEqual([
      expect.stringMatching(/^workdeliveries/),
      expect.stringMatching(/^workremovals/),
    ]);
    for (const id of [DELIVERIES_QUEUE_URL.Ref, REMOVALS_QUEUE_URL.Ref]) {
      const senders = all('AWS::IAM::Policy').filter(([, { Properties }]) =>
        Properties.PolicyDocument.Statement.some(
          ({ Action, Resource }: any) =>
            [Action].flat().includes('sqs:SendMessage') && JSON.stringify(Resource).includes(`"${id}"`),
        ),
      );
      expect(senders.map(([name]) => name)).toEqual([expect.stringMatching(/^announcepublishevent/)]);
    }
  });
});

describe('the bus', () => {
  it('is nobody else’s business unless the configuration names accounts', () => {
    expect(all('AWS::Events::EventBusPolicy')).toEqual([]);
  });

  it('lets the accounts named keep rules of their own, for our events', () => {
    const open = synthesize({ ...options, busSubscribers: ['111122223333', '444455556666'] }).template;
    const statements = all('AWS::Events::EventBusPolicy', open).map(
      ([, { Properties }]) => Properties.Statement,
    );
    const principals = {
      AWS: ['111122223333', '444455556666'].map((account) => ({
        'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:iam::${account}:root`]],
      })),
    };
    const own = { 'events:creatorAccount': '${aws:PrincipalAccount}' };
    expect(statements).toEqual([
      expect.objectContaining({
        Sid: 'cdk-SubscribersMakeRules',
        Effect: 'Allow',
        Principal: principals,
        Action: 'events:PutRule',
        Condition: {
          StringEqualsIfExists: own,
          'ForAllValues:StringEquals': { 'events:source': 'posthorn' },
          Null: { 'events:source': 'false' },
        },
      }),
      expect.objectContaining({
        Sid: 'cdk-SubscribersManageTheirRules',
        Effect: 'Allow',
        Principal: principals,
        Action: expect.arrayContaining(['events:PutTargets', 'events:DeleteRule', 'events:RemoveTargets']),
        Condition: { StringEqualsIfExists: own },
      }),
    ]);
    expect(statements[1].Action).not.toContain('events:PutEvents');
    for (const { Resource } of statements) {
      const [, parts] = Resource['Fn::Join'];
      expect(parts.slice(-3).flat()).toEqual([
        ':rule/',
        { Ref: expect.stringMatching(/^announcebus/) },
        '/*',
      ]);
    }
  });

  it('takes account ids as the command line writes them, and nothing else', () => {
    const read = (busSubscribers: unknown) =>
      configFrom({ mailDomain: 'mail.acme.io', busSubscribers }).busSubscribers;
    expect(read('111122223333, 444455556666')).toEqual(['111122223333', '444455556666']);
    expect(read(undefined)).toEqual([]);
    expect(() => read('*')).toThrow('busSubscribers: allowed are account ids of 12 digits');
  });
});
