import type { Verdict } from '../contract/message.ts';

/** What SES wrote of its checks. */
export interface Results {
  spf: Verdict;
  dkim: Verdict;
  dmarc: Verdict;
  /** The domains whose signatures were good. */
  signed_by: string[];
}

/**
 * Reads one Authentication-Results header as SES writes it (RFC 8601, SPF first), unfolded. The SPF part repeats the
 * envelope sender and HELO: words of a stranger, which may look like results in a quoted local part. So quoted
 * strings and comments go first, and what counts for DKIM and DMARC begins behind HELO, which holds no space.
 */
export function readResults(header: string): Results | undefined {
  if (!/^\s*amazonses\.com\s*;/.test(header)) return undefined;
  const plain = header.replace(/"(?:\\.|[^"\\])*"/g, '').replace(/\([^()]*\)/g, '');
  const spf = /^\s*amazonses\.com\s*;\s*spf=([a-z]+)/.exec(plain)?.[1];
  const helo = /[;\s]helo=\S*/.exec(plain);
  const rest = helo === null ? plain : plain.slice(helo.index + helo[0].length);
  const dkim = [...rest.matchAll(/(?:^|[;\s])dkim=([a-z]+)(?:\s+header\.[id]=[^\s;@]*@?([^\s;@]+))?/g)];
  const passed = dkim.filter(([, result]) => result === 'pass');
  return {
    spf: verdictOf(spf),
    dkim: verdictOf((passed[0] ?? dkim.find(([, result]) => result === 'fail') ?? dkim[0])?.[1]),
    dmarc: verdictOf(/(?:^|[;\s])dmarc=([a-z]+)/.exec(rest)?.[1]),
    signed_by: passed.flatMap(([, , domain]) => domain?.toLowerCase() ?? []),
  };
}

/** RFC 8601 results in the words of a verdict. */
function verdictOf(result: string | undefined): Verdict {
  if (result === 'pass') return 'PASS';
  if (result === 'fail') return 'FAIL';
  return result === 'temperror' || result === 'permerror' ? 'PROCESSING_FAILED' : 'GRAY';
}
