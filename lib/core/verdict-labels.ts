import type { Authentication } from '../contract/message.ts';
import type { Notice } from '../contract/notice.ts';
import type { EventType } from '../contract/event.ts';
import { readResults } from './authentication-results.ts';
import type { ParsedMail } from './mail.ts';

type Verdicts = Notice['verdicts'];

/**
 * What a verdict does to a message, in one table: it gets a label that hides it, and its event another name.
 * Nothing is refused or dropped. GRAY is not PASS, and a passing domain that is not the sender's is said in
 * `authentication`, without a label. The first row that applies names the event.
 */
const rules: {
  when: (verdicts: Verdicts, aligned: boolean) => boolean;
  label: 'blocked' | 'spam' | 'unauthenticated';
  event: EventType;
}[] = [
  { when: ({ virus }) => virus === 'FAIL', label: 'blocked', event: 'message.received.blocked' },
  { when: ({ spam }) => spam === 'FAIL', label: 'spam', event: 'message.received.spam' },
  {
    // Without exactly one author SES cannot ask for a policy: a second From must not be a way around the first one's.
    when: ({ dmarc, spf, dkim }, aligned) =>
      dmarc === 'FAIL' || (spf !== 'PASS' && dkim !== 'PASS') || (dmarc === 'PROCESSING_FAILED' && !aligned),
    label: 'unauthenticated',
    event: 'message.received.unauthenticated',
  },
];

/** The labels a mail arrives with, and the name of its event. */
export function judge(
  verdicts: Verdicts,
  fromAligned: boolean,
): { labels: string[]; event: EventType; quarantined: boolean } {
  const struck = rules.filter(({ when }) => when(verdicts, fromAligned));
  return {
    labels: ['received', 'unread', ...struck.map(({ label }) => label)],
    event: struck[0]?.event ?? 'message.received',
    quarantined: verdicts.virus === 'FAIL',
  };
}

/** The verdicts as the agent sees them, and whether they vouch for the domain in From. */
export function authenticationOf(
  { verdicts, source }: Notice,
  { from = '', headers }: Pick<ParsedMail, 'from' | 'headers'>,
): Authentication {
  const vouched = [
    ...(verdicts.spf === 'PASS' ? [domainOf(source)] : []),
    ...(verdicts.dkim === 'PASS' ? signingDomains(headers) : []),
  ];
  const authors = authorDomains(from);
  const aligned =
    authors.length > 0 && authors.every((author) => vouched.some((domain) => areAligned(domain, author)));
  return { ...verdicts, from_aligned: verdicts.dmarc === 'PASS' || (verdicts.dmarc !== 'FAIL' && aligned) };
}

/**
 * The notice says that a signature was good, not whose: that stands in the results SES wrote on top. Only the first
 * header of that name counts, further ones are the sender's words (RFC 8601 §5).
 */
function signingDomains(headers: Record<string, string>): string[] {
  const [, results = ''] =
    Object.entries(headers).find(([name]) => name.toLowerCase() === 'authentication-results') ?? [];
  return readResults(results.split('\n', 1)[0] ?? '')?.signed_by ?? [];
}

/** RFC 7489 §3.1, relaxed, without the public suffix list: one domain is the other or lies below it. */
const areAligned = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && (a === b || a.endsWith(`.${b}`) || b.endsWith(`.${a}`));

/** The domain of every author; a quoted name that looks like an address is none. */
function authorDomains(from: string): (string | undefined)[] {
  const plain = from.replace(/"(?:\\.|[^"\\])*"/g, '');
  return plain.split(',').map((author) => domainOf(/<([^<>]*)>\s*$/.exec(author)?.[1] ?? author));
}

const domainOf = (address: string): string | undefined =>
  /@([^@\s<>]+)\s*$/.exec(address)?.[1]?.toLowerCase();
