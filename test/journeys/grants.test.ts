import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFailed, vi } from 'vitest';
import type { Refusal } from '../../lib/local/iam/refusal.ts';
import {
  openCloud,
  resourceOf,
  type OpenCloud,
  type OpenOptions,
  type Resources,
} from '../support/local-cloud.ts';
import { smtpClient } from '../support/smtp-client.ts';
import { thorough } from '../support/thorough.ts';
import { badWeather } from '../../lib/local/weather.ts';

let open: OpenCloud | undefined;
let used: string;

// A fresh home waits for SES, whose control calls are one a second; a rule that is there is not tried again.
beforeAll(async () => {
  used = await mkdtemp(join(tmpdir(), 'posthorn-'));
  await (await openCloud({ home: used })).close();
});
afterAll(() => rm(used, { recursive: true }));
afterEach(async () => {
  await open?.close();
  open = undefined;
});

async function start(options: OpenOptions) {
  const started = (open = await openCloud({ from: used, ...options }));
  onTestFailed(() => console.log(started.printed.join('\n')));
  return started;
}

/** Takes an action away from the role whose policy's logical id begins so. */
const without = (role: string, action: string) => (resources: Resources) => {
  const { Properties } = resourceOf(resources, 'AWS::IAM::Policy', role);
  let taken = 0;
  for (const statement of Properties.PolicyDocument.Statement) {
    if (statement.Effect !== 'Allow') continue;
    const actions = [statement.Action].flat();
    // IAM takes no statement without an action.
    statement.Action = actions.map((one: string) => (one === action ? 'logs:PutLogEvents' : one));
    taken += actions.filter((one: string) => one === action).length;
  }
  if (taken === 0) throw new Error(`${role} has no ${action}`);
};

/** Takes the statements that allow a service something out of a resource's policy; what denies stays. */
const withoutService = (type: string, prefix: string, service: string) => (resources: Resources) => {
  const { PolicyDocument } = resourceOf(resources, type, prefix).Properties;
  const before = PolicyDocument.Statement.length;
  PolicyDocument.Statement = PolicyDocument.Statement.filter(
    ({ Principal }: { Principal: { Service?: string } }) => Principal.Service !== service,
  );
  if (PolicyDocument.Statement.length !== before - 1)
    throw new Error(`${prefix} does not allow ${service} once`);
};

const send = async ({ cloud }: OpenCloud, to = 'otter@posthorn.test') => {
  const sender = smtpClient(cloud.smtp);
  try {
    await sender.send({ to });
  } finally {
    sender.close();
  }
};

/** Waits until IAM refused this and checks that it was printed with who, action, resource and the missing grant. */
async function refused(
  { cloud, printed }: OpenCloud,
  expected: Record<keyof Omit<Refusal, 'outcome'>, RegExp>,
) {
  const wanted = Object.fromEntries(
    Object.entries(expected).map(([name, pattern]) => [name, expect.stringMatching(pattern)]),
  );
  await vi.waitFor(() => expect(cloud.iam.refusals).toContainEqual(expect.objectContaining(wanted)), 15_000);
  const { who, action, resource, missing } = cloud.iam.refusals.at(-1)!;
  expect(printed).toContain(`refused: ${who} ${action} on ${resource}: ${missing}`);
}

describe('a grant that is taken from a role', () => {
  const table = /^arn:aws:dynamodb:us-east-1:000000000000:table\/posthorn-local-storetable/;

  const ofReceiveMail: [string, RegExp][] = [
    ['s3:PutObject', /^arn:aws:s3:::posthorn-local-storebucket[^/]*\/org_/],
    ['dynamodb:PutItem', table],
  ];
  it.each(ofReceiveMail.slice(0, thorough ? 2 : 1))(
    'receive-mail without %s takes no mail in',
    async (action, resource) => {
      const started = await start({ edit: without('intakereceivemail', action) });
      const client = await started.client();
      await client.inboxes.create({ username: 'otter' });
      await send(started);
      await refused(started, {
        who: /assumed-role\/.*\/posthorn-local-intakereceivemail/,
        action: new RegExp(`^${action}$`),
        resource,
        missing: new RegExp(`^the policies of role intakereceivemailrole\\w+ must allow ${action}$`),
      });
      expect((await client.inboxes.messages.list('otter@posthorn.test')).messages).toEqual([]);
    },
  );

  it('api without dynamodb:BatchGetItem cannot tell who calls', async () => {
    const started = await start({ edit: without('apirole', 'dynamodb:BatchGetItem') });
    const client = await started.client();
    await expect(client.inboxes.create()).rejects.toMatchObject({ code: 'internal_error' });
    await refused(started, {
      who: /assumed-role\/.*\/posthorn-local-apifunction/,
      action: /^dynamodb:BatchGetItem$/,
      resource: table,
      missing: /^the policies of role apirole\w+ must allow dynamodb:BatchGetItem$/,
    });
  });

  it('a tenant’s session without s3:GetObject signs URLs that open nothing', async () => {
    const started = await start({ edit: without('apitenantrole', 's3:GetObject') });
    const client = await started.client();
    await client.inboxes.create({ username: 'otter' });
    await send(started);
    const message = await vi.waitFor(async () => {
      const { messages } = await client.inboxes.messages.list('otter@posthorn.test');
      expect(messages).toHaveLength(1);
      return messages[0]!;
    }, 15_000);
    const { download_url } = await client.inboxes.messages.getRaw('otter@posthorn.test', message.message_id);
    const response = await fetch(download_url);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('<Code>AccessDenied</Code>');
    await refused(started, {
      who: /assumed-role\/posthorn-local-apitenantrole[^/]*\/org_/,
      action: /^s3:GetObject$/,
      resource: /\/raw$/,
      missing: /must allow s3:GetObject$/,
    });
  });

  it('publish-event without events:PutEvents announces nothing', async () => {
    const started = await start({ edit: without('announcepublishevent', 'events:PutEvents') });
    const client = await started.client();
    await client.inboxes.create({ username: 'otter' });
    await send(started);
    await refused(started, {
      who: /assumed-role\/.*\/posthorn-local-announcepublishevent/,
      action: /^events:PutEvents$/,
      resource: /event-bus\/posthorn-local$/,
      missing: /must allow events:PutEvents$/,
    });
  });

  it.each(thorough ? ['dynamodb:GetItem', 'dynamodb:PutItem'] : ['dynamodb:PutItem'])(
    'seal-ledger without %s seals nothing',
    async (action) => {
      const started = await start({ edit: without('ledgersealledger', action) });
      const client = await started.client();
      await client.inboxes.create({ username: 'otter' });
      await refused(started, {
        who: /assumed-role\/.*\/posthorn-local-ledgersealledger/,
        action: new RegExp(`^${action}$`),
        resource: table,
        missing: new RegExp(`^the policies of role ledgersealledgerrole\\w+ must allow ${action}$`),
      });
      expect((await client.audit.list({ action: 'inboxes.create' })).count).toBe(1);
      expect((await client.audit.seals()).seals).toEqual([]);
    },
  );
});

describe('a grant that is taken from a resource', () => {
  const noSesInBucket = withoutService('AWS::S3::BucketPolicy', 'storebucketPolicy', 'ses.amazonaws.com');
  const noSesInTopic = withoutService('AWS::SNS::TopicPolicy', 'intaketopicpolicy', 'ses.amazonaws.com');

  it('SES makes no rule for a bucket it may not write to', async () => {
    const failure: Error & { printed?: string[] } = await start({
      edit: noSesInBucket,
      from: undefined,
    }).then(
      () => expect.unreachable(),
      (error: Error) => error,
    );
    expect(failure.message).toMatch(
      /^Resources\.intakerule\w+ .*Could not write to bucket: posthorn-local-storebucket/,
    );
    expect(failure.printed!.join('\n')).toMatch(
      /refused: ses\.amazonaws\.com s3:PutObject on arn:aws:s3:::posthorn-local-storebucket.*\/incoming\/AMAZON_SES_SETUP_NOTIFICATION: the bucket policy of .* must allow s3:PutObject to ses\.amazonaws\.com/,
    );
  });

  it('SES makes no rule for a topic whose only statement denies what comes without TLS', async () => {
    const failure: Error & { printed?: string[] } = await start({ edit: noSesInTopic, from: undefined }).then(
      () => expect.unreachable(),
      (error: Error) => error,
    );
    expect(failure.message).toMatch(
      /^Resources\.intakerule\w+ .*Could not publish to SNS topic: arn:aws:sns:/,
    );
    expect(failure.printed!.join('\n')).toMatch(
      /refused: ses\.amazonaws\.com sns:Publish on arn:aws:sns:\S+: the topic policy of .* must allow sns:Publish to ses\.amazonaws\.com/,
    );
  });

  /** Replaces a deployed resource's policy by one that only denies what comes without TLS. */
  async function onlyTls({ cloud }: OpenCloud, type: string, at: object, action: string, resource: string) {
    const found = cloud.services.all.flatMap(({ resources }) => resources).find((one) => one.type === type)!;
    const Statement = [
      {
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: action,
        Resource: resource,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ];
    const properties = found.properties.parse({
      ...at,
      PolicyDocument: { Version: '2012-10-17', Statement },
    });
    await found.deploy({ logicalId: 'Replaced', physicalName: 'replaced', properties, metadata: {} });
  }

  const ref = ({ cloud: { refs } }: OpenCloud, prefix: string) =>
    refs[Object.keys(refs).find((id) => id.startsWith(prefix))!]!;

  it('SES may not write to the bucket any more: no 250', async () => {
    const started = await start({});
    const bucket = ref(started, 'storebucket7');
    await onlyTls(started, 'AWS::S3::BucketPolicy', { Bucket: bucket }, 's3:*', `arn:aws:s3:::${bucket}/*`);
    await expect(send(started)).rejects.toThrow(/451/);
    await refused(started, {
      who: /^ses\.amazonaws\.com$/,
      action: /^s3:PutObject$/,
      resource: /\/incoming\//,
      missing: /^the bucket policy of .* must allow s3:PutObject to ses\.amazonaws\.com/,
    });
  });

  /** One run of run-due after the jump in time, instead of eleven at once. */
  const seldom = (resources: Resources) => {
    resourceOf(resources, 'AWS::Events::Rule', 'dueeveryminute').Properties.ScheduleExpression =
      'rate(11 minutes)';
  };

  /** The notice is lost, which nobody tells the sender; the mail is taken in by the listing of incoming/. */
  async function arrivesLate(started: OpenCloud, grant: Parameters<typeof refused>[1]) {
    const client = await started.client();
    await client.inboxes.create({ username: 'otter' });
    await send(started);
    await refused(started, grant);
    expect(started.printed.join('\n')).toMatch(/notice of .* lost|lost: a notice of /);
    expect((await client.inboxes.messages.list('otter@posthorn.test')).messages).toEqual([]);
    started.cloud.clock.advance(11 * 60_000);
    await vi.waitFor(async () => {
      const { messages } = await client.inboxes.messages.list('otter@posthorn.test');
      expect(messages).toMatchObject([{ envelope: 'inferred' }]);
    }, 45_000);
  }

  it('SES may not publish to the topic any more: the mail waits for the listing', async () => {
    const started = await start({ edit: seldom });
    const topic = ref(started, 'intaketopic8');
    await onlyTls(started, 'AWS::SNS::TopicPolicy', { Topics: [topic] }, 'sns:Publish', topic);
    await arrivesLate(started, {
      who: /^ses\.amazonaws\.com$/,
      action: /^sns:Publish$/,
      resource: /intaketopic/,
      missing:
        /^the topic policy of .* must allow sns:Publish to ses\.amazonaws\.com from arn:aws:ses:.*:receipt-rule\/posthorn-local_mail$/,
    });
  });

  if (thorough)
    it('SNS may not put notices in the queue: the mail waits for the listing', async () => {
      const removed = withoutService('AWS::SQS::QueuePolicy', 'intakequeuePolicy', 'sns.amazonaws.com');
      const edit = (resources: Resources) => [removed, seldom].forEach((change) => change(resources));
      await arrivesLate(await start({ edit }), {
        who: /^sns\.amazonaws\.com$/,
        action: /^sqs:SendMessage$/,
        resource: /intakequeue/,
        missing:
          /^the queue policy of .* must allow sqs:SendMessage to sns\.amazonaws\.com from arn:aws:sns:/,
      });
    });

  it('API Gateway may not call the function: 500', async () => {
    const started = await start({
      edit: (resources) => {
        delete resources[resourceOf(resources, 'AWS::Lambda::Permission', 'apihttpANYv0proxyapi').logicalId];
      },
    });
    const response = await fetch(`${started.cloud.api}/v0/inboxes`);
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ message: 'Internal Server Error' });
    await refused(started, {
      who: /^apigateway\.amazonaws\.com$/,
      action: /^lambda:InvokeFunction$/,
      resource: /:function:posthorn-local-apifunction/,
      missing:
        /^the Lambda permission of .* must allow lambda:InvokeFunction to apigateway\.amazonaws\.com from arn:aws:execute-api:/,
    });
  });

  it('the rule may not call run-due', async () => {
    const started = await start({
      edit: (resources) => {
        delete resources[resourceOf(resources, 'AWS::Lambda::Permission', 'dueeveryminute').logicalId];
      },
    });
    started.cloud.clock.advance(60_000);
    await refused(started, {
      who: /^events\.amazonaws\.com$/,
      action: /^lambda:InvokeFunction$/,
      resource: /:function:posthorn-local-duerundue/,
      missing: /^the Lambda permission of .* must allow lambda:InvokeFunction to events\.amazonaws\.com/,
    });
  });
});

describe('a start that AWS would refuse', () => {
  const fails = async (edit: (resources: Resources) => void) => {
    const failure = await start({ edit }).then(
      () => expect.unreachable(),
      (error: Error) => error,
    );
    return failure.message;
  };

  it('a role that does not trust Lambda', async () => {
    const message = await fails((resources) => {
      const { Properties } = resourceOf(resources, 'AWS::IAM::Role', 'activationactivatereceivingrole');
      Properties.AssumeRolePolicyDocument.Statement[0].Principal.Service = 'events.amazonaws.com';
    });
    expect(message).toMatch(
      /^Resources\.activationactivatereceivingfunction\w+ .*lambda\.amazonaws\.com.*sts:AssumeRole/,
    );
  });

  it.each([
    ['intakereceivemail', 'sqs:ReceiveMessage', /^Resources\.intakemapping\w+ .*ReceiveMessage on SQS/],
    [
      'announcepublishevent',
      'dynamodb:GetRecords',
      /^Resources\.announcemapping\w+ .*GetRecords on DYNAMODB/,
    ],
    ['announcepublishevent', 'sqs:SendMessage', /^Resources\.announcemapping\w+ .*SendMessage on SQS/],
  ])('an event source mapping of %s without %s', async (role, action, message) => {
    expect(await fails(without(role, action))).toMatch(message);
  });
});

describe('what the local cloud does not know', () => {
  const change = async (edit: (resources: Resources) => void) =>
    start({ edit }).then(
      () => expect.unreachable(),
      ({ message }: Error) => message,
    );

  it.each<[string, (resources: Resources) => void, RegExp]>([
    [
      'a type',
      (resources) => void (resources['Oven'] = { Type: 'AWS::Kitchen::Oven', Properties: {} }),
      /^Resources\.Oven: .*AWS::Kitchen::Oven/,
    ],
    [
      'a property',
      (resources) => void (resourceOf(resources, 'AWS::S3::Bucket', 'store').Properties.Mood = 'good'),
      /^Resources\.storebucket\w+ .*Properties\.Mood/,
    ],
    [
      'an intrinsic',
      (resources) => {
        resourceOf(resources, 'AWS::Lambda::Function', 'apifunction').Properties.Description = {
          'Fn::Guess': 'x',
        };
      },
      /^Resources\.apifunction\w+\.Properties\.Description.*Fn::Guess/,
    ],
    [
      'a condition key',
      (resources) => {
        const { Properties } = resourceOf(resources, 'AWS::S3::BucketPolicy', 'store');
        Properties.PolicyDocument.Statement[0].Condition = { StringEquals: { 'aws:MoonPhase': 'full' } };
      },
      /^Resources\.storebucketPolicy.*aws:MoonPhase/,
    ],
    [
      'a condition operator',
      (resources) => {
        const { Properties } = resourceOf(resources, 'AWS::S3::BucketPolicy', 'store');
        Properties.PolicyDocument.Statement[0].Condition = { StringRhymes: { 'aws:SourceArn': 'x' } };
      },
      /^Resources\.storebucketPolicy.*StringRhymes/,
    ],
  ])('%s stops the start and is named with its logical id', async (_, edit, message) => {
    expect(await change(edit)).toMatch(message);
  });
});

it('a call that a function makes after its answer is reported', async () => {
  const started = await start({
    sources: true,
    weather: badWeather(1, { 'another-instance': 1 }),
    edit: (resources) => {
      const { Properties } = resourceOf(resources, 'AWS::Lambda::Function', 'apifunction');
      resources['Stray'] = {
        Type: 'AWS::Lambda::Function',
        Properties: { ...Properties, LoggingConfig: undefined },
        Metadata: { 'posthorn:entry': 'test/fixtures/functions/sdk.ts' },
      };
    },
  });
  const { services, refs } = started.cloud;
  const operator = {
    kind: 'operator',
    arn: 'arn:aws:iam::000000000000:user/operator',
    accessKeyId: '',
  } as const;
  const { payload } = await services.lambda.invoke(refs['Stray']!, { key: 'x', stray: true }, operator);
  expect(payload).toBe('"answered"');
  // Frozen until it is called again, as on AWS; then the call goes out, and is refused.
  await services.lambda.invoke(refs['Stray']!, { key: 'y' }, operator);
  await services.lambda.invoke(refs['Stray']!, { key: 'z' }, operator);
  await vi.waitFor(() => expect(services.lambda.strayCalls).toHaveLength(1), 5_000);
  expect(services.lambda.strayCalls[0]).toMatchObject({
    functionName: refs['Stray'],
    service: 'dynamodb',
    request: expect.stringContaining('PutItem'),
  });
  expect(started.printed.join('\n')).toMatch(/Stray\S* called dynamodb .*after its invocation had returned/);
});

describe('ports that are taken', () => {
  it('are named, whichever it is', async () => {
    const { cloud } = await start({});
    const [api, smtp, dns] = [Number(new URL(cloud.api).port), cloud.smtp.port, cloud.dns.port];
    for (const [option, port] of Object.entries({ port: api, smtpPort: smtp, dnsPort: dns })) {
      const failure = await openCloud({ [option]: port }).catch((error: Error) => error);
      expect((failure as Error).message).toBe(
        `127.0.0.1:${port} is in use; choose another port, or 0 for any free one`,
      );
      expect((failure as unknown as { printed: string[] }).printed).toEqual([]);
    }
  });
});
