import {
  CloneReceiptRuleSetCommand,
  CreateReceiptRuleCommand,
  CreateReceiptRuleSetCommand,
  DeleteReceiptRuleCommand,
  DeleteReceiptRuleSetCommand,
  DescribeActiveReceiptRuleSetCommand,
  DescribeReceiptRuleCommand,
  DescribeReceiptRuleSetCommand,
  ListReceiptRuleSetsCommand,
  SESClient,
  SetActiveReceiptRuleSetCommand,
} from '@aws-sdk/client-ses';
import {
  GetAccountCommand,
  GetEmailIdentityCommand,
  ListEmailIdentitiesCommand,
  SESv2Client,
} from '@aws-sdk/client-sesv2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AwsError } from '../../../lib/local/aws-error.ts';
import { clientSettings, deploy, removeHome, serve, stubCloud } from '../../support/service-endpoint.ts';
import { DOMAIN, mailWorld, TOPIC } from './mail-fixture.ts';

let cloud: Awaited<ReturnType<typeof stubCloud>>;
let mail: Awaited<ReturnType<typeof mailWorld>>;
let endpoint: Awaited<ReturnType<typeof serve>>;
let first: SESClient;
let second: SESv2Client;

beforeEach(async () => {
  cloud = await stubCloud();
  mail = await mailWorld({ cloud, activate: false });
  endpoint = await serve(mail.world.ses);
  first = new SESClient(clientSettings(endpoint.url));
  second = new SESv2Client(clientSettings(endpoint.url));
});
afterEach(async () => {
  await endpoint.close();
  await mail.close();
  await removeHome(cloud);
});

/** The next call, a second of the account's budget later. */
const later = <T>(run: () => Promise<T>): Promise<T> => {
  cloud.clock.advance(1_000);
  return run();
};
const rule = {
  Name: 'extra',
  Enabled: true,
  Recipients: ['a@other.test'],
  Actions: [{ S3Action: { BucketName: 'mail' } }],
};

describe('receipt rules', () => {
  it('are inactive until a set is activated, and inactive again without one', async () => {
    expect(await later(() => first.send(new DescribeActiveReceiptRuleSetCommand()))).toMatchObject({
      $metadata: { httpStatusCode: 200 },
    });
    await later(() => first.send(new SetActiveReceiptRuleSetCommand({ RuleSetName: 'main' })));
    const active = await later(() => first.send(new DescribeActiveReceiptRuleSetCommand()));
    expect(active.Metadata).toMatchObject({ Name: 'main', CreatedTimestamp: expect.any(Date) });
    expect(active.Rules).toEqual([
      {
        Name: 'all',
        Enabled: true,
        ScanEnabled: true,
        TlsPolicy: 'Optional',
        Recipients: [DOMAIN, `.${DOMAIN}`],
        Actions: [{ S3Action: { BucketName: 'mail', ObjectKeyPrefix: 'incoming/', TopicArn: TOPIC } }],
      },
    ]);
    await later(() => first.send(new SetActiveReceiptRuleSetCommand({})));
    expect(
      (await later(() => first.send(new DescribeActiveReceiptRuleSetCommand()))).Metadata,
    ).toBeUndefined();
  });

  it('are made, placed, copied and taken away', async () => {
    await later(() => first.send(new CreateReceiptRuleCommand({ RuleSetName: 'main', Rule: rule })));
    await later(() =>
      first.send(
        new CreateReceiptRuleCommand({
          RuleSetName: 'main',
          After: 'all',
          Rule: { ...rule, Name: 'last', Recipients: [] },
        }),
      ),
    );
    const set = await later(() => first.send(new DescribeReceiptRuleSetCommand({ RuleSetName: 'main' })));
    expect(set.Rules!.map(({ Name }) => Name)).toEqual(['extra', 'all', 'last']);
    const one = await later(() =>
      first.send(new DescribeReceiptRuleCommand({ RuleSetName: 'main', RuleName: 'last' })),
    );
    expect(one.Rule).toMatchObject({ Recipients: [], ScanEnabled: false, TlsPolicy: 'Optional' });
    await later(() =>
      first.send(new CloneReceiptRuleSetCommand({ RuleSetName: 'copy', OriginalRuleSetName: 'main' })),
    );
    await later(() => first.send(new CreateReceiptRuleSetCommand({ RuleSetName: 'empty' })));
    await later(() => first.send(new DeleteReceiptRuleCommand({ RuleSetName: 'main', RuleName: 'extra' })));
    await later(() => first.send(new DeleteReceiptRuleSetCommand({ RuleSetName: 'empty' })));
    const sets = await later(() => first.send(new ListReceiptRuleSetsCommand({})));
    expect(sets.RuleSets!.map(({ Name }) => Name)).toEqual(['copy', 'main']);
    expect(mail.world.ses.rules.get('main').Rules.map(({ Name }) => Name)).toEqual(['all', 'last']);
    expect(mail.world.ses.rules.get('copy').Rules).toHaveLength(3);
  });

  it.each([
    ['RuleSetDoesNotExistException', new SetActiveReceiptRuleSetCommand({ RuleSetName: 'none' })],
    ['RuleDoesNotExistException', new DescribeReceiptRuleCommand({ RuleSetName: 'main', RuleName: 'none' })],
    ['AlreadyExistsException', new CreateReceiptRuleSetCommand({ RuleSetName: 'main' })],
    [
      'AlreadyExistsException',
      new CreateReceiptRuleCommand({ RuleSetName: 'main', Rule: { ...rule, Name: 'all' } }),
    ],
    [
      'RuleDoesNotExistException',
      new CreateReceiptRuleCommand({ RuleSetName: 'main', Rule: rule, After: 'none' }),
    ],
    [
      'ValidationError',
      new CreateReceiptRuleCommand({
        RuleSetName: 'main',
        Rule: { ...rule, Actions: [{ StopAction: { Scope: 'RuleSet' } }] },
      }),
    ],
  ])('answer %s', async (name, command) => {
    await expect(later(() => first.send(command as CreateReceiptRuleSetCommand))).rejects.toMatchObject({
      name,
    });
  });

  it('keep the active set from being deleted', async () => {
    mail.world.ses.rules.activate('main');
    const deletion = later(() => first.send(new DeleteReceiptRuleSetCommand({ RuleSetName: 'main' })));
    await expect(deletion).rejects.toMatchObject({ name: 'CannotDeleteException' });
  });

  it('are tried on bucket and topic before they are taken', async () => {
    expect(mail.setup.stored).toMatchObject([
      {
        bucket: 'mail',
        key: 'incoming/AMAZON_SES_SETUP_NOTIFICATION',
        caller: { service: 'ses.amazonaws.com', sourceAccount: '000000000000' },
      },
    ]);
    expect(JSON.parse(mail.setup.published[0]!.message).mail.messageId).toBe('AMAZON_SES_SETUP_NOTIFICATION');

    mail.refuse.put = new AwsError('AccessDenied', 'no', { status: 403 });
    const create = () => first.send(new CreateReceiptRuleCommand({ RuleSetName: 'main', Rule: rule }));
    await expect(later(create)).rejects.toMatchObject({
      name: 'InvalidS3ConfigurationException',
      message: 'Could not write to bucket: mail',
    });
    const again = {
      RuleSetName: 'main',
      Rule: { ...rule, Name: 'all', Actions: [{ S3Action: { BucketName: 'mail', TopicArn: TOPIC } }] },
    };
    await expect(deploy(mail.world.ses, 'AWS::SES::ReceiptRule', again)).rejects.toThrow(
      'Could not write to bucket: mail',
    );
    mail.refuse.put = undefined;
    mail.refuse.publish = new AwsError('AuthorizationError', 'no', { status: 403 });
    await expect(deploy(mail.world.ses, 'AWS::SES::ReceiptRule', again)).rejects.toThrow(
      `Could not publish to SNS topic: ${TOPIC}`,
    );
    expect(mail.world.ses.rules.get('main').Rules).toHaveLength(1);
  });
});

describe('all control calls', () => {
  it('share one request per second', async () => {
    await later(() => first.send(new DescribeActiveReceiptRuleSetCommand()));
    await expect(first.send(new ListReceiptRuleSetsCommand({}))).rejects.toMatchObject({
      name: 'Throttling',
    });
    await expect(second.send(new GetAccountCommand())).rejects.toMatchObject({
      name: 'TooManyRequestsException',
    });
    await later(() => second.send(new GetAccountCommand()));
    expect(
      cloud.calls.filter(({ service }) => service === 'ses').map(({ action, error }) => [action, error]),
    ).toEqual([
      ['DescribeActiveReceiptRuleSet', undefined],
      ['ListReceiptRuleSets', 'Throttling'],
      ['GetAccount', 'Throttling'],
      ['GetAccount', undefined],
    ]);
  });

  it('need their grant', async () => {
    cloud.deny = () => true;
    const set = later(() => first.send(new SetActiveReceiptRuleSetCommand({ RuleSetName: 'main' })));
    await expect(set).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(
      later(() => second.send(new GetEmailIdentityCommand({ EmailIdentity: DOMAIN }))),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(cloud.asked.map(({ action, resource }) => [action, resource])).toEqual([
      ['ses:SetActiveReceiptRuleSet', '*'],
      ['ses:GetEmailIdentity', `arn:aws:ses:us-east-1:000000000000:identity/${DOMAIN}`],
    ]);
    expect(mail.world.ses.rules.active()).toBeUndefined();
  });
});

describe('identities', () => {
  it('are verified by DNS, signed for by a published key, and have their MAIL FROM checked', async () => {
    const pending = await deploy(mail.world.ses, 'AWS::SES::EmailIdentity', {
      EmailIdentity: 'Other.test',
      DkimSigningAttributes: { NextSigningKeyLength: 'RSA_2048_BIT' },
      MailFromAttributes: { MailFromDomain: `bounce.${DOMAIN}`, BehaviorOnMxFailure: 'REJECT_MESSAGE' },
    });
    expect(pending.ref).toBe('Other.test');
    const answer = await later(() =>
      second.send(new GetEmailIdentityCommand({ EmailIdentity: 'other.test' })),
    );
    expect(answer).toMatchObject({
      VerifiedForSendingStatus: false,
      DkimAttributes: { Status: 'PENDING' },
      MailFromAttributes: { MailFromDomainStatus: 'PENDING' },
    });
    await deploy(mail.world.route53, 'AWS::Route53::RecordSet', {
      HostedZoneId: 'ZLOCAL',
      Name: `bounce.${DOMAIN}`,
      Type: 'MX',
      TTL: '300',
      ResourceRecords: ['10 feedback-smtp.us-east-1.amazonses.com'],
    });
    const own = await later(() => second.send(new GetEmailIdentityCommand({ EmailIdentity: DOMAIN })));
    expect(own).toMatchObject({
      VerifiedForSendingStatus: true,
      DkimAttributes: {
        Status: 'SUCCESS',
        Tokens: [expect.stringMatching(/^[a-z2-7]{32}$/), expect.anything(), expect.anything()],
      },
    });
    const other = await later(() =>
      second.send(new GetEmailIdentityCommand({ EmailIdentity: 'other.test' })),
    );
    expect(other.MailFromAttributes!.MailFromDomainStatus).toBe('SUCCESS');
    const listed = await later(() => second.send(new ListEmailIdentitiesCommand({ PageSize: 1 })));
    expect(listed).toMatchObject({
      EmailIdentities: [{ IdentityName: 'other.test', IdentityType: 'DOMAIN' }],
      NextToken: '1',
    });
    const record = mail.world.names.answer(`${own.DkimAttributes!.Tokens![0]}._domainkey.${DOMAIN}`, 'TXT');
    expect(record.sets.map(({ type }) => type)).toEqual(['CNAME', 'TXT']);
    await expect(
      later(() => second.send(new GetEmailIdentityCommand({ EmailIdentity: 'none.test' }))),
    ).rejects.toMatchObject({ name: 'NotFoundException' });
  });
});

it('a restart finds rules, the active set, identities and records as they were', async () => {
  mail.world.ses.rules.activate('main');
  await deploy(mail.world.ses, 'AWS::SES::ReceiptRule', {
    RuleSetName: 'main',
    Rule: { ...rule, ScanEnabled: true },
  });
  const tokens = mail.world.ses.identities.find(DOMAIN)!.tokens;
  await mail.close();
  mail = await mailWorld({ cloud, activate: false, dkimRecords: false });
  expect(mail.world.ses.rules.active()!.Rules.map(({ Name }) => Name)).toEqual(['extra', 'all']);
  expect(mail.world.ses.identities.find(DOMAIN)!.tokens).toEqual(tokens);
  expect(mail.setup).toEqual({ stored: [], published: [] });
  await mail.send({ from: 'bob@sender.test', to: `ann@${DOMAIN}`, text: 'after the restart' });
  expect(mail.notice().receipt.recipients).toEqual([`ann@${DOMAIN}`]);
});
