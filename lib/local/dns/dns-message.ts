import * as packet from 'dns-packet';
import type { Answer, NameService } from './name-service.ts';
import { type RecordSet, type RecordType, recordTypes } from './record-set.ts';
import { readRecordValue } from './record-value.ts';

/** What UDP carries without EDNS (RFC 1035 §4.2.1), and what this server sends at most with it (DNS flag day 2020). */
const PLAIN_UDP = 512;
const LARGEST_UDP = 1232;

interface Reply extends packet.Packet {
  rcode?: string;
}

/** The answer to one datagram or TCP frame; `undefined` for what is no question at all. */
export function answerMessage(names: NameService, message: Buffer, over: 'udp' | 'tcp'): Buffer | undefined {
  // A header is 12 octets; an answer is never answered, or two servers would talk for ever.
  if (message.length < 12 || (message[2]! & 0x80) !== 0) return undefined;
  let query: packet.DecodedPacket;
  try {
    query = packet.decode(message);
  } catch {
    return encode({ id: message.readUInt16BE(0), rcode: 'FORMERR' });
  }
  const reply = replyTo(names, query);
  const encoded = encode(reply);
  if (over === 'tcp' || encoded.length <= udpSize(query)) return encoded;
  return encode({
    ...reply,
    answers: [],
    authorities: [],
    flags: (reply.flags ?? 0) | packet.TRUNCATED_RESPONSE,
  });
}

function replyTo(names: NameService, query: packet.DecodedPacket): Reply {
  const [question, ...others] = query.questions ?? [];
  const reply: Reply = {
    id: query.id ?? 0,
    questions: query.questions ?? [],
    flags:
      packet.AUTHORITATIVE_ANSWER |
      ((query.flags ?? 0) & packet.RECURSION_DESIRED) |
      packet.RECURSION_AVAILABLE,
    // The answer to EDNS carries EDNS (RFC 6891 §6.1.1).
    additionals: (query.additionals ?? []).some(({ type }) => type === 'OPT') ? [opt()] : [],
  };
  if ((query as { opcode?: string }).opcode !== 'QUERY') return { ...reply, rcode: 'NOTIMP' };
  if (question === undefined || others.length > 0) return { ...reply, rcode: 'FORMERR' };
  if (question.class !== 'IN' || ['AXFR', 'IXFR'].includes(question.type))
    return { ...reply, rcode: 'REFUSED' };
  const answer = names.answer(question.name, question.type as RecordType);
  return {
    ...reply,
    rcode: answer.rcode,
    answers: answer.sets.flatMap((set) => records(set, spelling(set, question.name))),
    authorities: negative(answer),
  };
}

/** A name is given back as it was asked, since careful resolvers vary its case against forgery. */
const spelling = (set: RecordSet, asked: string) => (set.name === asked.toLowerCase() ? asked : set.name);

function records(set: RecordSet, name: string): packet.Answer[] {
  if (!recordTypes.includes(set.type)) return [];
  return set.values.map(
    (value) =>
      ({ name, type: set.type, class: 'IN', ttl: set.ttl, data: readRecordValue(set.type, value) }) as never,
  );
}

function negative(answer: Answer): packet.Answer[] {
  return answer.authority === undefined ? [] : records(answer.authority, answer.authority.name);
}

const opt = () =>
  ({
    type: 'OPT',
    name: '.',
    udpPayloadSize: LARGEST_UDP,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    options: [],
  }) as never;

function udpSize(query: packet.DecodedPacket): number {
  const edns = (query.additionals ?? []).find(({ type }) => type === 'OPT') as
    { udpPayloadSize?: number } | undefined;
  return edns === undefined
    ? PLAIN_UDP
    : Math.min(LARGEST_UDP, Math.max(PLAIN_UDP, edns.udpPayloadSize ?? 0));
}

/** dns-packet writes no response code of its own: it is the low four bits of the flags. */
function encode(reply: Reply): Buffer {
  const code =
    { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 }[reply.rcode ?? 'NOERROR'] ??
    2;
  return packet.encode({ ...reply, type: 'response', flags: (reply.flags ?? 0) | code });
}
