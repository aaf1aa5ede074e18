import * as z from 'zod';

/** A DNS record an address needs, without a word on whether it is there. */
export const dnsRecord = z.object({
  type: z.enum(['TXT', 'CNAME', 'MX']),
  name: z.string(),
  value: z.string(),
  priority: z.number().optional(),
});
export type DnsRecord = z.infer<typeof dnsRecord>;

/** The same with what DNS answers now. `UNKNOWN`: the name servers did not answer in time. */
export const dnsRecordStatus = dnsRecord.extend({
  status: z.enum(['MISSING', 'INVALID', 'VALID', 'UNKNOWN']),
});
export type DnsRecordStatus = z.infer<typeof dnsRecordStatus>;
