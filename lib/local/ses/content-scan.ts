import { TransferDecoder } from './transfer-decoder.ts';

/** The two strings by which a spam filter and a virus scanner are tried, built so that this file is neither. */
const GTUBE = Buffer.from(
  'XJS*C4JDBQADN1.NSBN3*2IDNEN*' + 'GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL' + '*C.34X',
  'latin1',
);
const EICAR = Buffer.from(
  'X5O!P%@AP[4\\PZX54(P^)7CC)7}$' + 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE' + '!$H+H*',
  'latin1',
);
/** A mail of more boundaries than this is scanned on as if the rest were text. */
const MOST_BOUNDARIES = 1_000;
const LONGEST_LINE = 64 * 1024;

/**
 * Looks for the test strings in a mail's bytes as they pass, in the raw text and in what base64 and quoted-printable
 * parts decode to. Holds a line and a block of decoded bytes at most.
 */
export class ContentScan {
  spam = false;
  virus = false;
  readonly #boundaries = new Set<string>();
  #line: Buffer[] = [];
  #lineLength = 0;
  #inHeaders = true;
  #header = '';
  #decoder: TransferDecoder | undefined;
  #encoding = '';
  #nested = false;
  #rawTail = Buffer.alloc(0);

  update(chunk: Buffer): void {
    this.#rawTail = this.#search(this.#rawTail, chunk);
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      this.#endLine(chunk.subarray(start, end + 1));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  end(): void {
    if (this.#lineLength > 0) this.#endLine(Buffer.alloc(0));
    this.#closePart();
  }

  #keep(piece: Buffer): void {
    if (this.#lineLength > LONGEST_LINE) return;
    this.#line.push(piece);
    this.#lineLength += piece.length;
  }

  #endLine(rest: Buffer): void {
    this.#keep(rest);
    const line = this.#line.length === 1 ? this.#line[0]! : Buffer.concat(this.#line);
    this.#line = [];
    this.#lineLength = 0;
    if (line[0] === 45 && line[1] === 45 && this.#isBoundary(line)) return this.#startPart();
    if (!this.#inHeaders) return this.#decoder?.write(line);
    this.#readHeaderLine(line.toString('latin1').replace(/\r?\n$/, ''));
  }

  #isBoundary(line: Buffer): boolean {
    const text = line.subarray(2).toString('latin1').trimEnd();
    return this.#boundaries.has(text) || this.#boundaries.has(text.replace(/--$/, ''));
  }

  #startPart(): void {
    this.#closePart();
    this.#inHeaders = true;
    this.#encoding = '';
    this.#nested = false;
  }

  #readHeaderLine(line: string): void {
    if (/^[ \t]/.test(line) && line.trim() !== '') {
      // A header of many folded lines is read only as far as the fields looked for can reach.
      if (this.#header.length < 4_096) this.#header += ` ${line.trim()}`;
      return;
    }
    this.#readHeader();
    this.#header = line;
    if (line.trim() !== '') return;
    // The empty line: the body begins, or the headers of a message within (RFC 2046 §5.2.1).
    this.#header = '';
    if (this.#nested) return this.#startPart();
    this.#inHeaders = false;
    this.#decoder = TransferDecoder.for(this.#encoding, (bytes, tail) => this.#search(tail, bytes));
  }

  #readHeader(): void {
    const [, name, value] = /^([a-z-]{1,40})[ \t]*:(.*)$/i.exec(this.#header) ?? [];
    if (name?.toLowerCase() === 'content-transfer-encoding') this.#encoding = value!.trim().toLowerCase();
    if (name?.toLowerCase() !== 'content-type') return;
    this.#nested = /^\s*message\/rfc822/i.test(value!);
    const [, quoted, plain] = /;\s*boundary\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(value!) ?? [];
    const boundary = quoted ?? plain;
    if (boundary !== undefined && this.#boundaries.size < MOST_BOUNDARIES)
      this.#boundaries.add(boundary.trimEnd());
  }

  #closePart(): void {
    this.#decoder?.end();
    this.#decoder = undefined;
  }

  /** Answers the end of the bytes, where a string may begin that goes on in the next. */
  #search(tail: Buffer, bytes: Buffer): Buffer<ArrayBuffer> {
    const whole = Buffer.concat([tail, bytes]);
    this.spam ||= whole.includes(GTUBE);
    this.virus ||= whole.includes(EICAR);
    return Buffer.from(whole.subarray(-(Math.max(GTUBE.length, EICAR.length) - 1)));
  }
}
