import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { DKIMResult, DMARCResult, SPFResult } from 'mailauth';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { dmarc } from 'mailauth/lib/dmarc/index.js';
import { spf } from 'mailauth/lib/spf/index.js';
import type { Resolve } from '../dns/resolver.ts';
import type { Envelope } from '../smtp/server.ts';

/** What SPF, DKIM and DMARC found; `undefined` where the mail could not be checked at all. */
export interface Authentication {
  spf: SPFResult;
  dkim: DKIMResult[] | undefined;
  dmarc: DMARCResult | undefined;
  /** Addresses of the From header. */
  from: string[];
}

/** Checks a mail in one pass over its file; `watch` sees the bytes as they pass. */
export async function authenticate(options: {
  file: string;
  envelope: Envelope;
  resolve: Resolve;
  now: number;
  /** Without it the signatures are left alone: the header section is out of bounds. */
  headersComplete: boolean;
  watch: (chunk: Buffer) => void;
}): Promise<Authentication> {
  const { envelope, resolve } = options;
  const sender = spf({
    sender: envelope.from,
    ip: envelope.clientAddress,
    helo: envelope.helo,
    mta: 'amazonses.com',
    resolver: resolve,
  });
  if (!options.headersComplete) {
    for await (const _ of watched(options.file, options.watch));
    return { spf: await sender, dkim: undefined, dmarc: undefined, from: [] };
  }
  const signatures = await dkimVerify(Readable.from(watched(options.file, options.watch)), {
    resolver: resolve,
    sender: envelope.from,
    curTime: new Date(options.now),
  });
  const results = signatures.results.filter(({ signingDomain }) => signingDomain !== undefined);
  const policy = await dmarcOf(signatures.headerFrom, await sender, results, resolve);
  return { spf: await sender, dkim: results, dmarc: policy, from: signatures.headerFrom };
}

async function* watched(file: string, watch: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    watch(chunk);
    yield chunk;
  }
}

/** RFC 7489 §6.6.1: a mail with none or several From addresses has no one domain to ask. */
async function dmarcOf(from: string[], spfResult: SPFResult, dkim: DKIMResult[], resolver: Resolve) {
  if (from.length !== 1) return undefined;
  const result = await dmarc({
    headerFrom: from,
    spfDomains: spfResult.status.result === 'pass' ? [spfResult.domain] : [],
    dkimDomains: dkim
      .filter(({ status }) => status.result === 'pass')
      .map(({ id, signingDomain, status }) => ({
        id: id!,
        domain: signingDomain,
        aligned: status.aligned,
        underSized: status.underSized,
      })),
    resolver,
  } as never);
  return result === false ? undefined : result;
}
