import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inferNotice } from '../../lib/core/infer-notice.ts';

const trace = (more: Partial<Record<'path' | 'for' | 'spam' | 'results', string>> = {}) =>
  [
    `Return-Path: <${more.path ?? 'bob@sender.test'}>`,
    'Received: from mx.sender.test (mx.sender.test [192.0.2.7])',
    ' by inbound-smtp.us-east-1.amazonaws.com with SMTP id abc123',
    ` for ${more.for ?? 'ada@mail.test'};`,
    ' Thu, 13 Jan 2026 21:02:45 +0000 (UTC)',
    `X-SES-Spam-Verdict: ${more.spam ?? 'PASS'}`,
    'X-SES-Virus-Verdict: PASS',
    'Received-SPF: pass (spfCheck: domain of sender.test designates 192.0.2.7 as permitted sender) client-ip=192.0.2.7;',
    `Authentication-Results: amazonses.com;\r\n ${more.results ?? 'spf=pass (spfCheck: x) client-ip=192.0.2.7;\r\n dkim=pass header.i=@sender.test;\r\n dmarc=pass header.from=sender.test;'}`,
    'X-SES-RECEIPT: AEFB',
    'X-SES-DKIM-SIGNATURE: a=rsa-sha256; q=dns/txt;',
    '',
  ].join('\r\n');
const mail = 'From: bob@sender.test\r\nTo: x@y.test\r\nSubject: Hi\r\n\r\nHello';
const infer = (head: string) =>
  inferNotice({ key: 'incoming/abc123', stored_at: '2026-01-13T21:02:46.000Z', head });

describe('a notice that was lost', () => {
  it('is read from the headers SES put on top', () => {
    expect(infer(trace() + mail)).toEqual({
      ses_id: 'abc123',
      key: 'incoming/abc123',
      timestamp: '2026-01-13T21:02:46.000Z',
      source: 'bob@sender.test',
      recipients: ['ada@mail.test'],
      envelope: 'inferred',
      verdicts: { spf: 'PASS', dkim: 'PASS', dmarc: 'PASS', spam: 'PASS', virus: 'PASS' },
    });
  });

  it.each([
    [
      'spf=fail (x); dkim=none; dmarc=fail header.from=bank.test;',
      { spf: 'FAIL', dkim: 'GRAY', dmarc: 'FAIL' },
    ],
    [
      'spf=softfail (x); dkim=neutral; dmarc=none header.from=x.test;',
      { spf: 'GRAY', dkim: 'GRAY', dmarc: 'GRAY' },
    ],
    [
      'spf=temperror (x); dkim=permerror; dmarc=temperror;',
      { spf: 'PROCESSING_FAILED', dkim: 'PROCESSING_FAILED', dmarc: 'PROCESSING_FAILED' },
    ],
    [
      'spf=pass (x); dkim=fail header.i=@a.test; dkim=pass header.i=@b.test; dmarc=pass;',
      { spf: 'PASS', dkim: 'PASS', dmarc: 'PASS' },
    ],
    // Words of the envelope stand in the comment: they are no results.
    [
      'spf=fail (spfCheck: domain of dmarc=pass.test;dkim=pass) client-ip=192.0.2.7; envelope-from="x; dkim=pass header.i=@a.test; dmarc=pass "@b.test; helo=mx.test;dmarc=pass; dkim=none; dmarc=fail;',
      { spf: 'FAIL', dkim: 'GRAY', dmarc: 'FAIL' },
    ],
  ])('%s', (results, verdicts) => {
    expect(infer(trace({ results }) + mail)?.verdicts).toMatchObject(verdicts);
  });

  it('takes what it cannot read for no verdict, and the null sender for none', () => {
    expect(infer(trace({ spam: 'DISABLED', path: '' }) + mail)).toMatchObject({
      source: '',
      verdicts: { spam: 'PROCESSING_FAILED' },
    });
    expect(infer(trace({ for: '<ada+x@mail.test>' }) + mail)?.recipients).toEqual(['ada+x@mail.test']);
  });

  it('believes nothing that stands below that block', () => {
    const forged = trace({ for: 'victim@mail.test' });
    expect(infer(mail)).toBeUndefined();
    expect(infer(`X-Mine: 1\r\n${forged}${mail}`)).toBeUndefined();
    expect(
      infer(trace({ results: 'spf=fail; dkim=none; dmarc=fail;', spam: 'FAIL' }) + forged + mail),
    ).toMatchObject({
      recipients: ['ada@mail.test'],
      verdicts: { spf: 'FAIL', dkim: 'GRAY', dmarc: 'FAIL', spam: 'FAIL' },
    });
    // A header the rule did not make SES write cannot be supplied by the sender further down.
    const withoutSpam = trace().replace(/X-SES-Spam-Verdict.*\r\n/, '');
    expect(infer(`${withoutSpam}X-SES-Spam-Verdict: PASS\r\n${mail}`)?.verdicts.spam).toBe(
      'PROCESSING_FAILED',
    );
    expect(
      infer(
        trace()
          .replace(/^.*$/m, 'Return-Path: <a@b.test>')
          .replace('by inbound-smtp.us-east-1.amazonaws.com', 'by mx.evil.test') + mail,
      ),
    ).toBeUndefined();
  });

  it('survives hostile heads', () => {
    for (const head of [
      '',
      '\r\n',
      ':',
      'Received',
      `Received: ${'<'.repeat(60_000)}`,
      `Received: ${' for a@'.repeat(9000)}`,
      'Received: by x for a@b.test;',
      'Received: from a by inbound-smtp.x.amazonaws.com with SMTP id y;',
    ])
      expect(infer(head)).toBeUndefined();
  });
});

const corpus = join(import.meta.dirname, '../../../shared/corpus/ses-notifications');
interface Real {
  content?: string;
  mail: { source: string; destination: string[] };
  receipt: { recipients: string[] } & Record<string, { status: string }>;
}
describe.skipIf(!existsSync(corpus))('real notices that came with their mail', () => {
  const files = existsSync(corpus)
    ? readdirSync(corpus).filter((name) => name.endsWith('_sns_body.json'))
    : [];
  // Two of these were edited by hand for another purpose: the verdict only in the notice, a header put on top.
  const edited = ['spamVerdict_FAIL_email_sns_body.json', 'single_recipient_list_email_sns_body.json'];
  const bodies = files.map(
    (name) => JSON.parse(readFileSync(join(corpus, name), 'utf8')) as { Message?: string },
  );
  const real = bodies.flatMap(({ Message }, at): [string, Real][] => {
    const message = Message?.startsWith('{') === true ? (JSON.parse(Message) as Real) : undefined;
    return message?.content?.includes('inbound-smtp') === true && !edited.includes(files[at]!)
      ? [[files[at]!, message]]
      : [];
  });

  it.each(real)(
    '%s would have been told the same without it',
    (_, { content = '', mail: { source }, receipt }) => {
      const notice = infer(content.slice(0, 65_536));
      expect(notice).toMatchObject({ source, recipients: [receipt.recipients[0]] });
      for (const check of ['spf', 'dkim', 'dmarc', 'spam', 'virus'] as const)
        expect([check, notice?.verdicts[check]]).toEqual([check, receipt[`${check}Verdict`]?.status]);
    },
  );

  it('are several', () => {
    expect(real.length).toBeGreaterThan(2);
  });
});
