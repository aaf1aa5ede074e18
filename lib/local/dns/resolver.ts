import type { MxData, SoaData } from 'dns-packet';
import type { NameService } from './name-service.ts';
import { type RecordType, recordTypes } from './record-set.ts';
import { readRecordValue } from './record-value.ts';

/** As `dns.promises.resolve`: the same shapes, and ENOTFOUND or ENODATA as `code` of the error. */
export type Resolve = (name: string, type: string) => Promise<any[]>;

/** Asks the local names without a socket: a mail's checks must not depend on packets in flight. */
export const resolverOf =
  (names: NameService): Resolve =>
  async (name, type) => {
    const wanted = type.toUpperCase() as RecordType;
    if (!recordTypes.includes(wanted)) throw failure('ENOTIMP', name, type);
    const answer = names.answer(name, wanted);
    if (answer.rcode === 'SERVFAIL') throw failure('ESERVFAIL', name, type);
    const values = answer.sets.filter((set) => set.type === wanted).flatMap((set) => set.values);
    if (values.length === 0) throw failure(answer.rcode === 'NXDOMAIN' ? 'ENOTFOUND' : 'ENODATA', name, type);
    return values.map((value) => asNodeDoes(wanted, value));
  };

function asNodeDoes(type: RecordType, value: string): unknown {
  const data = readRecordValue(type, value);
  if (type === 'TXT') return (data as Buffer[]).map((string) => string.toString('latin1'));
  if (type === 'MX')
    return { exchange: (data as MxData).exchange, priority: (data as MxData).preference, type };
  if (type === 'SOA') return { nsname: (data as SoaData).mname, hostmaster: (data as SoaData).rname };
  return data;
}

const failure = (code: string, name: string, type: string) =>
  Object.assign(new Error(`query${type} ${code} ${name}`), { code, hostname: name });
