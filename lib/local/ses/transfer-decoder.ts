/** Sees decoded bytes together with the end of those before, and answers the end to keep. */
type Reader = (bytes: Buffer, tail: Buffer) => Buffer<ArrayBuffer>;

/** Enough to make the calls worth their while, little enough to hold. */
const BLOCK = 48 * 1024;

/** Decodes the lines of a base64 or quoted-printable body in blocks (RFC 2045 §6.7, §6.8), without minding errors. */
export class TransferDecoder {
  readonly #encoding: string;
  readonly #read: Reader;
  #lines: Buffer[] = [];
  #length = 0;
  #remainder = '';
  #tail: Buffer<ArrayBuffer> = Buffer.alloc(0);

  /** `undefined` for a body that is what it looks like. */
  static for(encoding: string, read: Reader): TransferDecoder | undefined {
    return ['base64', 'quoted-printable'].includes(encoding)
      ? new TransferDecoder(encoding, read)
      : undefined;
  }

  constructor(encoding: string, read: Reader) {
    this.#encoding = encoding;
    this.#read = read;
  }

  write(line: Buffer): void {
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#length >= BLOCK) this.#flush(false);
  }

  end(): void {
    this.#flush(true);
  }

  #flush(last: boolean): void {
    const text = this.#remainder + Buffer.concat(this.#lines).toString('latin1');
    this.#lines = [];
    this.#length = 0;
    this.#remainder = '';
    this.#tail = this.#read(
      this.#encoding === 'base64' ? this.#base64(text, last) : quotedPrintable(text),
      this.#tail,
    );
  }

  #base64(text: string, last: boolean): Buffer {
    const digits = text.replace(/[^A-Za-z0-9+/]/g, '');
    const whole = last ? digits.length : digits.length - (digits.length % 4);
    this.#remainder = digits.slice(whole);
    return Buffer.from(digits.slice(0, whole), 'base64');
  }
}

const quotedPrintable = (text: string): Buffer =>
  Buffer.from(
    text
      .replace(/=[ \t]*\r?\n/g, '')
      .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
