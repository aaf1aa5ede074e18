import { describe, expect, it } from 'vitest';
import { configFrom, configFromContext } from '../../lib/infra/config.ts';

const mailDomain = 'mail.example.com';

describe('configuration', () => {
  it('needs nothing but a mail domain, and protects data unless told otherwise', () => {
    expect(configFrom({ mailDomain })).toMatchObject({
      stage: 'prod',
      stackName: 'posthorn-prod',
      removalPolicy: 'retain',
      deletionProtection: true,
      activateReceiving: 'create',
      ledgerRetentionMode: 'governance',
      ledgerRetentionDays: 365,
      dmarcPolicy: 'quarantine',
      hostedZone: undefined,
    });
    expect(configFrom({ mailDomain, stage: 'dev' })).toMatchObject({
      removalPolicy: 'destroy',
      deletionProtection: false,
    });
  });

  it('says what to give when the mail domain is missing', () => {
    expect(() => configFrom({})).toThrow(/mailDomain: give a domain such as .*-c mailDomain=/);
  });

  it.each([
    ['mailDomain', 'Mail.Example.com', /lower-case domain/],
    ['mailDomain', 'localhost', /domain such as/],
    ['mailDomain', '192.0.2.1', /domain such as/],
    ['hostedZoneId', '/hostedzone/Z1', /zone id such as/],
    ['stage', 'Prod!', /2 to 20 characters/],
    ['publicOrigins', 'https://a.example/path', /an origin such as/],
    ['publicOrigins', 'http://a.example', /https only/],
    ['publicOrigins', 'http://127.0.0.1:8025', /https only/],
    ['logRetentionDays', '8', /one of: 1, 3, 5, 7, 14/],
    ['incomingRetentionDays', '3', /15 to 3650 days/],
    ['canaryMinutes', '61', /0 \(none\) to 60 minutes/],
    ['canaryMinutes', 'often', /a number of minutes/],
    // What a shell makes of a variable that is not set.
    ['canaryMinutes', '', /a number of minutes/],
    ['quarantineDays', '', /a number of days/],
    ['quarantineDays', ' ', /a number of days/],
    ['expiryNoticeMinutes', '1e3', /a number of minutes/],
    ['expiryNoticeMinutes', true, /a number of minutes/],
    ['quarantineDays', 1.5, /a number of days/],
    ['ledgerRetentionMode', 'legal', /one of: governance, compliance/],
    ['ledgerRetentionDays', '0', /1 to 36500 days/],
    ['ledgerRetentionDays', '36501', /1 to 36500 days/],
    ['alarmEmail', 'nobody', /e-mail address/],
    ['removalPolicy', 'keep', /one of: retain, destroy/],
    ['deletionProtection', 'maybe', /true or false/],
    ['activateReceiving', 'replace', /one of: create, adopt, off/],
    ['dmarcPolicy', 'p=none', /one of: none, quarantine, reject/],
    ['dmarcReports', 'x', /e-mail address/],
    ['mailFromSubdomain', 'a.b', /one label such as bounce/],
    ['mailFromFailure', 'drop', /one of: USE_DEFAULT_VALUE, REJECT_MESSAGE/],
    ['region', 'eu-central-2', /does not receive mail there; allowed is one of: .*eu-central-1.*us-west-2/],
    ['account', '123', /12 digits/],
  ])('refuses a wrong %s (%s) by name, with what is allowed', (field, value, allowed) => {
    const refused = () => configFrom({ mailDomain, [field]: value });
    expect(refused).toThrow(new RegExp(`^  ${field}: `, 'm'));
    expect(refused).toThrow(allowed);
    expect(refused).toThrow(JSON.stringify(value));
  });

  it('names every wrong field at once', () => {
    expect(() => configFrom({ mailDomain: 'x', dmarcPolicy: 'y' })).toThrow(
      /mailDomain: .*\n {2}dmarcPolicy: /,
    );
  });

  it('takes a zone that holds the mail domain, and refuses another', () => {
    const hostedZoneId = 'Z0123456789ABC';
    expect(configFrom({ mailDomain, hostedZoneId }).hostedZone).toEqual({
      id: hostedZoneId,
      name: mailDomain,
    });
    const zone = { mailDomain, hostedZoneId, hostedZoneName: 'example.com' };
    expect(configFrom(zone).hostedZone).toEqual({ id: hostedZoneId, name: 'example.com' });
    expect(() => configFrom({ ...zone, hostedZoneName: 'ample.com' })).toThrow(
      /hostedZoneName: allowed is mail.example/,
    );
    expect(() => configFrom({ mailDomain, hostedZoneName: 'example.com' })).toThrow(
      /hostedZoneId: give the id/,
    );
  });

  it('reads the strings of the command line as cdk.json has them', () => {
    const given = {
      publicOrigins: 'https://a.example https://b.example,https://c.example',
      logRetentionDays: '30',
    };
    expect(configFrom({ mailDomain, ...given, deletionProtection: 'false' })).toMatchObject({
      publicOrigins: ['https://a.example', 'https://b.example', 'https://c.example'],
      logRetentionDays: 30,
      deletionProtection: false,
    });
  });

  it('allows plain http to loopback on the local cloud only', () => {
    const publicOrigins = ['http://127.0.0.1:8025'];
    expect(configFrom({ mailDomain, stage: 'local', publicOrigins }).publicOrigins).toEqual(publicOrigins);
    expect(() => configFrom({ mailDomain, stage: 'local', publicOrigins: ['http://10.0.0.1'] })).toThrow(
      /https only/,
    );
  });

  it('refuses a misspelt setting and ignores what CDK itself keeps in the context', () => {
    const cdk = {
      'aws:cdk:version-reporting': false,
      '@aws-cdk/core:x': true,
      'acknowledged-issue-numbers': [1],
    };
    expect(configFromContext({ mailDomain, ...cdk }).mailDomain).toBe(mailDomain);
    expect(() => configFromContext({ mailDomian: mailDomain })).toThrow(
      /mailDomian.*Allowed are: mailDomain, /,
    );
  });
});
