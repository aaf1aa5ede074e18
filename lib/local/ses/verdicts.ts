import type { Authentication } from './authentication.ts';

export type Status = 'PASS' | 'FAIL' | 'GRAY' | 'PROCESSING_FAILED' | 'DISABLED';

/** The verdicts of a receipt, as SES reports them; it acts on none. */
export interface Verdicts {
  spam: Status;
  virus: Status;
  spf: Status;
  dkim: Status;
  dmarc: Status;
  /** Only beside a DMARC FAIL. */
  dmarcPolicy: string | undefined;
}

export function verdictsOf(
  found: Authentication,
  content: { spam: boolean; virus: boolean },
  scanEnabled: boolean,
): Verdicts {
  const scanned = (bad: boolean): Status => (scanEnabled ? (bad ? 'FAIL' : 'PASS') : 'DISABLED');
  const dmarc = dmarcStatus(found);
  return {
    spam: scanned(content.spam),
    virus: scanned(content.virus),
    spf: spfStatus(found),
    dkim: dkimStatus(found),
    dmarc,
    dmarcPolicy: dmarc === 'FAIL' ? (found.dmarc?.policy ?? 'none').toLowerCase() : undefined,
  };
}

function spfStatus({ spf }: Authentication): Status {
  if (spf.status.result === 'pass') return 'PASS';
  if (spf.status.result === 'fail') return 'FAIL';
  return ['none', 'neutral', 'softfail'].includes(spf.status.result) ? 'GRAY' : 'PROCESSING_FAILED';
}

/** Only signatures of the From domain count: a foreign one, good or bad, leaves the mail as if unsigned. */
function dkimStatus({ dkim }: Authentication): Status {
  if (dkim === undefined) return 'PROCESSING_FAILED';
  const aligned = dkim.filter(({ status }) => Boolean(status.aligned)).map(({ status }) => status.result);
  if (aligned.includes('pass')) return 'PASS';
  if (aligned.some((result) => result === 'temperror' || result === 'temperr')) return 'PROCESSING_FAILED';
  return aligned.length > 0 ? 'FAIL' : 'GRAY';
}

/** GRAY also when all is well but the domain's owner asks for nothing (no policy, or p=none). */
function dmarcStatus(found: Authentication): Status {
  const { dmarc } = found;
  if (dmarc === undefined || dmarc.status.result.startsWith('temperr')) return 'PROCESSING_FAILED';
  if (dmarc.status.result === 'none') return 'GRAY';
  const asksNothing = (dmarc.policy ?? 'none').toLowerCase() === 'none';
  if (dmarc.status.result === 'pass') return asksNothing ? 'GRAY' : 'PASS';
  const vouched =
    found.spf.status.result === 'pass' || (found.dkim ?? []).some(({ status }) => status.result === 'pass');
  return asksNothing && vouched ? 'GRAY' : 'FAIL';
}
