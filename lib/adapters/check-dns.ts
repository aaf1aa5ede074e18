import { resolveCname, resolveMx, resolveTxt } from 'node:dns/promises';
import type { DnsRecord, DnsRecordStatus } from '../contract/dns-record.ts';
import type { CheckDns, Now } from '../core/ports.ts';

/** An answer is good for this long, so that provisioning a hundred inboxes asks DNS once. */
const keepMs = 60_000;
const timeoutMs = 1_500;

/**
 * Compares what DNS answers with the records the mail domain needs. A name server that is silent makes the
 * status `UNKNOWN` and never fails the call.
 */
export function checkDns(records: DnsRecord[], now: Now): CheckDns {
  let kept: { until: number; answer: Promise<DnsRecordStatus[]> } | undefined;
  return () => {
    if (kept === undefined || kept.until <= now()) {
      kept = {
        until: now() + keepMs,
        answer: Promise.all(records.map(async (record) => ({ ...record, status: await statusOf(record) }))),
      };
    }
    return kept.answer;
  };
}

async function statusOf(record: DnsRecord): Promise<DnsRecordStatus['status']> {
  try {
    const found = await withTimeout(lookUp(record));
    if (found.length === 0) return 'MISSING';
    return found.some((value) => same(value, record)) ? 'VALID' : 'INVALID';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOTFOUND' || code === 'ENODATA' ? 'MISSING' : 'UNKNOWN';
  }
}

interface Found {
  value: string;
  priority?: number;
}

async function lookUp({ type, name }: DnsRecord): Promise<Found[]> {
  if (type === 'MX')
    return (await resolveMx(name)).map(({ exchange, priority }) => ({ value: exchange, priority }));
  if (type === 'CNAME') return (await resolveCname(name)).map((value) => ({ value }));
  // A name may carry other TXT records; only one of the same kind (v=spf1, v=DMARC1) can contradict ours.
  return (await resolveTxt(name))
    .map((parts) => ({ value: parts.join('') }))
    .filter(({ value }) => /^v=/i.test(value));
}

function same(found: Found, wanted: DnsRecord): boolean {
  if (wanted.type === 'TXT') return found.value === wanted.value;
  const host = (name: string) => name.toLowerCase().replace(/\.$/, '');
  return (
    host(found.value) === host(wanted.value) &&
    (wanted.priority === undefined || found.priority === wanted.priority)
  );
}

function withTimeout<Value>(promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('DNS did not answer in time')), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
