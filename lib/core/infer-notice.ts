import type { Verdict } from '../contract/message.ts';
import type { Notice } from '../contract/notice.ts';
import { readResults } from './authentication-results.ts';

/** How long a notice may take before the mail is taken in without it. */
export const noticeMs = 10 * 60_000;

/** The name of every SES server that receives. */
const byInbound = /\sby inbound-smtp\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?\s/;
const unknown = { spf: 'PROCESSING_FAILED', dkim: 'PROCESSING_FAILED', dmarc: 'PROCESSING_FAILED' } as const;

/**
 * Reads from the trace headers SES put on top what the lost notice would have said. Only that top block counts:
 * further down, the same names are the sender's words (RFC 8601 §5). SES names one recipient there, so of a mail
 * to several the others are lost with the notice. `undefined`: there is no such block.
 */
export function inferNotice({
  key,
  stored_at,
  head,
}: {
  key: string;
  stored_at: string;
  head: string;
}): Notice | undefined {
  const trace = traceBlock(head);
  const received = trace.get('received');
  const recipient = received?.match(/\sfor\s+<?([^\s<>;]+@[^\s<>;]+)>?\s*;/)?.[1];
  if (received === undefined || recipient === undefined || !byInbound.test(received)) return undefined;
  const { spf, dkim, dmarc } = readResults(trace.get('authentication-results') ?? '') ?? unknown;
  const source = trace.get('return-path')?.match(/<([^<>\s]*)>/)?.[1] ?? '';
  return {
    ses_id: key.slice(key.lastIndexOf('/') + 1),
    key,
    timestamp: stored_at,
    source,
    recipients: [recipient],
    envelope: 'inferred',
    verdicts: {
      ...{ spf, dkim, dmarc },
      spam: verdict(trace.get('x-ses-spam-verdict')),
      virus: verdict(trace.get('x-ses-virus-verdict')),
    },
  };
}

const names = [
  'return-path',
  'received',
  'x-ses-spam-verdict',
  'x-ses-virus-verdict',
  'received-spf',
  'authentication-results',
  'x-ses-receipt',
  'x-ses-dkim-signature',
];

/** The headers SES put on top, each at most once and in its order; the first that does not belong ends the block. */
function traceBlock(head: string): Map<string, string> {
  const trace = new Map<string, string>();
  let at = -1;
  for (const line of head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/, 50)) {
    const colon = line.indexOf(':');
    const place = names.indexOf(line.slice(0, colon).toLowerCase());
    if (place <= at) break;
    at = place;
    trace.set(names[place]!, line.slice(colon + 1).trim());
  }
  return trace;
}

const verdict = (value: string | undefined): Verdict =>
  value === 'PASS' || value === 'FAIL' || value === 'GRAY' ? value : 'PROCESSING_FAILED';
