import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../lib/contract/message.ts';
import { authenticationOf, judge } from '../../lib/core/verdict-labels.ts';
import { pass, sampleNotice } from '../support/mail-samples.ts';

const all: Verdict[] = ['PASS', 'FAIL', 'GRAY', 'PROCESSING_FAILED'];

describe('the labels of a mail', () => {
  it('follow from its verdicts and its alignment, in all 2,048 combinations', () => {
    let seen = 0;
    for (const aligned of [true, false])
      for (const spf of all)
        for (const dkim of all)
          for (const dmarc of all)
            for (const spam of all)
              for (const virus of all) {
                seen++;
                const expected = new Set(['received', 'unread']);
                if (virus === 'FAIL') expected.add('blocked');
                if (spam === 'FAIL') expected.add('spam');
                // GRAY is not PASS: with neither SPF nor DKIM nobody vouches for the sender.
                if (dmarc === 'FAIL' || ![spf, dkim].includes('PASS')) expected.add('unauthenticated');
                // Two authors leave DMARC without an answer: then one of them has to be vouched for.
                if (dmarc === 'PROCESSING_FAILED' && !aligned) expected.add('unauthenticated');
                const { labels, event, quarantined } = judge({ spf, dkim, dmarc, spam, virus }, aligned);
                expect(new Set(labels)).toEqual(expected);
                expect(labels).toHaveLength(expected.size);
                expect(quarantined).toBe(virus === 'FAIL');
                const first = ['blocked', 'spam', 'unauthenticated'].find((label) => expected.has(label));
                expect(event).toBe(first === undefined ? 'message.received' : `message.received.${first}`);
              }
    expect(seen).toBe(2 * 4 ** 5);
  });

  it.each(['none', 'quarantine', 'reject'] as const)(
    'a DMARC failure counts under the policy %s',
    (dmarc_policy) => {
      expect(judge({ ...pass, dmarc: 'FAIL', dmarc_policy }, true).labels).toContain('unauthenticated');
    },
  );
});

it('a mail whose policy could not be asked counts as unauthenticated where nobody vouches for its author', () => {
  expect(judge({ ...pass, dmarc: 'PROCESSING_FAILED' }, false).labels).toContain('unauthenticated');
  expect(judge({ ...pass, dmarc: 'PROCESSING_FAILED' }, true).labels).not.toContain('unauthenticated');
});

describe('what is said of the sender', () => {
  const results =
    'amazonses.com; spf=pass (spfCheck: domain of bulk.test designates 1.2.3.4) client-ip=1.2.3.4; dkim=pass header.i=@news.bank.test; dmarc=none header.from=bank.test;';
  const gray = { ...pass, dmarc: 'GRAY' } as const;
  const spfOnly = { ...gray, dkim: 'GRAY' } as const;
  const dkimOnly = { ...gray, spf: 'FAIL' } as const;
  const say = (verdicts: typeof pass, from: string, source: string, header?: string) =>
    authenticationOf(sampleNotice({ verdicts, source }), {
      from,
      headers: header === undefined ? {} : { 'Authentication-Results': header },
    }).from_aligned;

  it.each([
    ['DMARC passed', pass, 'Bank <a@bank.test>', 'x@bulk.test', undefined, true],
    ['DMARC failed', { ...pass, dmarc: 'FAIL' } as const, 'a@bank.test', 'x@bank.test', undefined, false],
    ['SPF of the same domain', spfOnly, 'Bank <a@bank.test>', 'x@BANK.test', undefined, true],
    ['SPF of a domain below', spfOnly, 'a@bank.test', 'x@bounce.bank.test', undefined, true],
    ['SPF of another domain', spfOnly, 'a@bank.test', 'x@bulk.test', undefined, false],
    ['SPF of a domain that ends alike', spfOnly, 'a@bank.test', 'x@evilbank.test', undefined, false],
    ['SPF and no envelope sender', spfOnly, 'a@bank.test', '', undefined, false],
    [
      'SPF failed',
      { ...gray, spf: 'FAIL', dkim: 'GRAY' } as const,
      'a@bank.test',
      'x@bank.test',
      undefined,
      false,
    ],
    ['DKIM of the domain, as SES says', dkimOnly, 'a@bank.test', 'x@bulk.test', results, true],
    ['DKIM of an unknown domain', dkimOnly, 'a@bank.test', 'x@bulk.test', undefined, false],
    ['DKIM of another domain', dkimOnly, 'a@other.test', 'x@bulk.test', results, false],
    [
      'results the sender wrote below those of SES',
      dkimOnly,
      'a@victim.test',
      'x@bulk.test',
      `${results}\namazonses.com; dkim=pass header.i=@victim.test;`,
      false,
    ],
    [
      'results of somebody else',
      dkimOnly,
      'a@bank.test',
      'x@bulk.test',
      results.replace('amazonses.com', 'mx.bulk.test'),
      false,
    ],
    [
      'results within the envelope sender',
      dkimOnly,
      'a@victim.test',
      'x@bulk.test',
      'amazonses.com; spf=pass (spfCheck: x) client-ip=192.0.2.7; envelope-from="x; dkim=pass header.i=@victim.test; "@bulk.test; helo=mx.bulk.test; dkim=pass header.i=@bulk.test;',
      false,
    ],
    [
      'DKIM results while the verdict is no pass',
      { ...dkimOnly, dkim: 'GRAY' } as const,
      'a@bank.test',
      'x@bulk.test',
      results,
      false,
    ],
    ['an address in the name', spfOnly, '"a@bulk.test" <a@bank.test>', 'x@bulk.test', undefined, false],
    [
      'two authors of whom one is vouched for',
      spfOnly,
      'a@bank.test, b@bulk.test',
      'x@bulk.test',
      undefined,
      false,
    ],
    [
      'two authors of one domain',
      spfOnly,
      '"Last, First" <a@bulk.test>, b@bulk.test',
      'x@bulk.test',
      undefined,
      true,
    ],
    ['no author', spfOnly, '', 'x@bulk.test', undefined, false],
  ])('%s', (_, verdicts, from, source, header, aligned) => {
    expect(say(verdicts, from, source, header)).toBe(aligned);
  });

  it('repeats every verdict', () => {
    const verdicts = { ...pass, dmarc: 'FAIL', dmarc_policy: 'none' } as const;
    expect(authenticationOf(sampleNotice({ verdicts }), { from: 'a@b.test', headers: {} })).toEqual({
      ...verdicts,
      from_aligned: false,
    });
  });
});
