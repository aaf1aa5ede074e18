import type { MxData, SoaData, SrvData, CaaData } from 'dns-packet';
import { isIPv4, isIPv6 } from 'node:net';
import { canonicalName, isDomainName } from './domain-name.ts';
import type { RecordType } from './record-set.ts';

/** A value as a DNS packet carries it. */
export type RecordData = string | Buffer[] | MxData | SoaData | SrvData | CaaData;

/**
 * Reads a value in the zone-file form that Route 53 takes (`10 mx.example.com.`, `"v=spf1 -all"`).
 * Throws an Error that says what is wrong with it.
 */
export function readRecordValue(type: RecordType, value: string): RecordData {
  const words = value.trim().split(/\s+/);
  switch (type) {
    case 'A':
      return checked(value, isIPv4(value), 'is not a valid IPv4 address');
    case 'AAAA':
      return checked(value, isIPv6(value), 'is not a valid IPv6 address');
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return host(words, 1, value)[0]!;
    case 'MX': {
      const [exchange] = host(words.slice(1), 1, value);
      return { preference: number(words[0], value), exchange: exchange! };
    }
    case 'SRV': {
      const [priority, weight, port] = words.slice(0, 3).map((word) => number(word, value));
      const [target] = host(words.slice(3), 1, value);
      return { priority: priority!, weight: weight!, port: port!, target: target! };
    }
    case 'SOA':
      return soa(words, value);
    case 'CAA': {
      const [, flags, tag, text] = /^(\d+)\s+([a-z0-9]+)\s+"(.*)"$/i.exec(value.trim()) ?? [];
      if (tag === undefined) throw new Error(`Value '${value}' is not a valid CAA record`);
      return { flags: Number(flags), tag: tag.toLowerCase() as CaaData['tag'], value: text! };
    }
    case 'TXT':
      return readCharacterStrings(value);
  }
}

function soa(words: string[], value: string): SoaData {
  const [mname, rname] = host(words.slice(0, 2), 2, value);
  const [serial, refresh, retry, expire, minimum] = words
    .slice(2)
    .map((word) => number(word, value, 2 ** 32));
  if (minimum === undefined) throw new Error(`Value '${value}' is not a valid SOA record`);
  return {
    mname: mname!,
    rname: rname!,
    serial: serial!,
    refresh: refresh!,
    retry: retry!,
    expire: expire!,
    minimum,
  };
}

/** Quoted strings of at most 255 octets (RFC 1035 §3.3), with `\"`, `\\` and octal `\ddd` as Route 53 escapes them. */
export function readCharacterStrings(value: string): Buffer[] {
  const strings: Buffer[] = [];
  const pattern = /\s*"((?:[^"\\]|\\[0-7]{3}|\\["\\])*)"\s*/y;
  while (pattern.lastIndex < value.length) {
    const found = pattern.exec(value);
    if (found === null) throw new Error(`Value '${value}' should be enclosed in quotation marks`);
    const octets = found[1]!.replace(/\\([0-7]{3}|["\\])/g, (_, escaped: string) =>
      escaped.length === 3 ? String.fromCharCode(Number.parseInt(escaped, 8)) : escaped,
    );
    const string = Buffer.from(octets, 'latin1');
    if (string.length > 255)
      throw new Error(`CharacterStringTooLong (Value is too long) encountered with '${value}'`);
    strings.push(string);
  }
  if (strings.length === 0) throw new Error(`Value '${value}' should be enclosed in quotation marks`);
  return strings;
}

/** The text as quoted strings of 255 octets: what a long DKIM key needs. */
export function quoteText(text: string): string {
  const chunks = text.match(/.{1,255}/g) ?? [''];
  return chunks.map((chunk) => `"${chunk.replace(/(["\\])/g, '\\$1')}"`).join(' ');
}

function host(words: string[], count: number, value: string): string[] {
  if (words.length < count || (count === 1 && words.length !== 1))
    throw new Error(`Value '${value}' is incomplete`);
  return words.slice(0, count).map((word) => {
    const name = canonicalName(word);
    if (name !== '' && !isDomainName(name)) throw new Error(`Value '${value}' is not a valid host name`);
    return name === '' ? '.' : name;
  });
}

function number(word: string | undefined, value: string, limit = 65_536): number {
  if (word === undefined || !/^\d{1,10}$/.test(word) || Number(word) >= limit) {
    throw new Error(`Value '${value}' lacks a number it needs`);
  }
  return Number(word);
}

function checked(value: string, right: boolean, complaint: string): string {
  if (!right) throw new Error(`Value '${value}' ${complaint}`);
  return value;
}
