/** The record types this DNS can answer. */
export const recordTypes = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'] as const;
export type RecordType = (typeof recordTypes)[number];

/** All values of one name and type. */
export interface RecordSet {
  /** Canonical; a leading `*` label is a wildcard (RFC 4592). */
  name: string;
  type: RecordType;
  /** Seconds. */
  ttl: number;
  /** In zone-file form, as Route 53 takes and returns them. */
  values: string[];
}
