import type { Verdict } from './message.ts';

/** That a mail has arrived: the envelope and the verdicts. Its bytes are in the bucket under `key`. */
export interface Notice {
  /** SES's own id of the mail, not the sender's Message-ID. */
  ses_id: string;
  key: string;
  /** When SES took the mail; ISO 8601. */
  timestamp: string;
  /** The envelope sender; empty for the null sender. */
  source: string;
  /** The envelope recipients. What To and Cc say never routes. */
  recipients: string[];
  /** `inferred`: the notice was lost, and this was read from the mail's trace headers. */
  envelope: 'given' | 'inferred';
  verdicts: {
    spf: Verdict;
    dkim: Verdict;
    dmarc: Verdict;
    dmarc_policy?: 'none' | 'quarantine' | 'reject';
    spam: Verdict;
    virus: Verdict;
  };
}
