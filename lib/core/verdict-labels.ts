import type { Authentication } from '../contract/message.ts';
import type { Notice } from '../contract/notice.ts';
import type { EventType } from '../contract/webhook.ts';

type Verdicts = Notice['verdicts'];

/**
 * What a verdict does to a message, in one table: it gets a label that hides it, and its event another name.
 * Nothing is refused or dropped. GRAY is not PASS, and a passing domain that is not the sender's is said in
 * `authentication`, without a label. The first row that applies names the event.
 */
const rules: { when: (verdicts: Verdicts) => boolean; label: 'blocked' | 'spam' | 'unauthenticated'; event: EventType }[] = [
  { when: ({ virus }) => virus === 'FAIL', label: 'blocked', event: 'message.received.blocked' },
  { when: ({ spam }) => spam === 'FAIL', label: 'spam', event: 'message.received.spam' },
  {
    when: ({ dmarc, spf, dkim }) => dmarc === 'FAIL' || (spf !== 'PASS' && dkim !== 'PASS'),
    label: 'unauthenticated',
    event: 'message.received.unauthenticated',
  },
];

/** The labels a mail arrives with, and the name of its event. */
export function judge(verdicts: Verdicts): { labels: string[]; event: EventType; quarantined: boolean } {
  const struck = rules.filter(({ when }) => when(verdicts));
  return {
    labels: ['received', 'unread', ...struck.map(({ label }) => label)],
    event: struck[0]?.event ?? 'message.received',
    quarantined: verdicts.virus === 'FAIL',
  };
}

/** The verdicts as the agent sees them, and whether they vouch for the domain in From. */
export function authenticationOf(verdicts: Verdicts, source: string, from: string | undefined): Authentication {
  const aligned = verdicts.dmarc === 'PASS' || verdicts.dkim === 'PASS' || (verdicts.spf === 'PASS' && alignedDomains(source, from));
  return { ...verdicts, from_aligned: verdicts.dmarc !== 'FAIL' && aligned };
}

/** RFC 7489 §3.1, relaxed, without the public suffix list: one domain is the other or lies below it. */
function alignedDomains(source: string, from: string | undefined): boolean {
  const [a, b] = [domainOf(source), domainOf(from ?? '')];
  if (a === undefined || b === undefined) return false;
  return a === b || a.endsWith(`.${b}`) || b.endsWith(`.${a}`);
}

const domainOf = (address: string): string | undefined => /@([^@\s<>]+)>?\s*$/.exec(address)?.[1]?.toLowerCase();
