/** How far a mail is read. What exceeds one is parsed as far as it goes, and `parse_error` says so. */
export interface MailLimits {
  /** Bytes of raw mail kept: SES accepts 40 MB, its own trace headers come on top. */
  rawBytes: number;
  /** Bytes of one part's header block: four times what big providers accept for a whole mail. */
  headBytes: number;
  /** Bytes of one header: 1,000 recipients of 60 characters, the most that SMTP obliges anyone to take. */
  headerBytes: number;
  /** Header lines of one part: hundreds of `Received` are a loop, and each costs work. */
  headerLines: number;
  /** Different names kept in `headers`; ordinary mail has 20 to 60. */
  headerNames: number;
  /** MIME parts. SES sends at most 500, and mail from elsewhere may have been forwarded with more. */
  parts: number;
  /** Parts within parts: forwarded chains stay below 20; walking the tree recurses once per level. */
  depth: number;
  /** Attachments kept, each a file while parsing and an object for good. */
  attachments: number;
  /**
   * Bytes of plain text and of HTML, each, before decoding. Unlike attachments these are held in memory, some
   * charsets as one number per byte; the longest newsletters have 1 MB.
   */
  bodyBytes: number;
  /** Addresses kept of one header. */
  addresses: number;
  /** Milliseconds for parsing: 40 MB take about a second of one core, so a small share of one gets there. */
  milliseconds: number;
  /** Milliseconds for what is derived from the parsed mail: extraction and preview. */
  derivingMilliseconds: number;
  /** Megabytes of heap of the parsing process; bodies are its largest contents, at up to six copies. */
  heapMegabytes: number;
}

export const MAIL_LIMITS: Readonly<MailLimits> = {
  rawBytes: 41 * 1024 * 1024,
  headBytes: 256 * 1024,
  headerBytes: 64 * 1024,
  headerLines: 1_000,
  headerNames: 200,
  parts: 1_000,
  depth: 100,
  attachments: 500,
  bodyBytes: 4 * 1024 * 1024,
  addresses: 1_000,
  milliseconds: 20_000,
  derivingMilliseconds: 3_000,
  heapMegabytes: 192,
};

/** A parsing process is replaced after so many mails, so that whatever a library leaks stays small. */
export const MAILS_PER_PROCESS = 200;
