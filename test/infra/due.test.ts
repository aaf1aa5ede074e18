import { describe, expect, it } from 'vitest';
import { configFrom } from '../../lib/infra/config.ts';
import { synthesize } from '../../lib/infra/synthesize.ts';

const { template } = synthesize({
  ...{ mailDomain: 'mail.acme.io', bundle: false },
  ...{ expiryNoticeMinutes: 15, quarantineDays: 7 },
});
type Resource = { Type: string; Properties: any };
const all = Object.entries((template as { Resources: Record<string, Resource> }).Resources);
const variables = (id: string) =>
  all.find(([name, { Type }]) => Type === 'AWS::Lambda::Function' && name.startsWith(id))![1].Properties
    .Environment.Variables;

describe('what comes to an end by itself', () => {
  it('is told the times that are configured', () => {
    expect(variables('apifunction')).toMatchObject({ EXPIRY_NOTICE_MINUTES: '15', QUARANTINE_DAYS: '7' });
    expect(variables('duerundue')).toMatchObject({ QUARANTINE_DAYS: '7' });
  });

  it('is found by the inboxes of an organization, and by no other place of the index', () => {
    const queries = all
      .filter(([id, { Type }]) => Type === 'AWS::IAM::Policy' && id.startsWith('duerundue'))
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as any[])
      .filter(({ Resource: on }) => JSON.stringify(on).includes('index/by-organization'));
    expect(queries).toMatchObject([
      {
        Action: 'dynamodb:Query',
        Effect: 'Allow',
        Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['OUTBOX#*', 'O#*#I'] } },
      },
    ]);
  });

  it('is announced 0 minutes to 30 days before', () => {
    const mailDomain = 'mail.acme.io';
    expect(configFrom({ mailDomain }).expiryNoticeMinutes).toBe(60);
    expect(configFrom({ mailDomain, expiryNoticeMinutes: '0' }).expiryNoticeMinutes).toBe(0);
    for (const wrong of [-1, 43_201, 1.5, 'soon'])
      expect(() => configFrom({ mailDomain, expiryNoticeMinutes: wrong })).toThrow(/expiryNoticeMinutes: /);
  });
});
