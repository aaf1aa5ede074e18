/** A mail as the parser hands it over: bounded in every direction, and never trusted. */
export interface ParsedMail {
  /** Decoded; absent when the mail has none. */
  subject?: string;
  /**
   * `Name <address>` or the bare address; several authors are joined by a comma, those of a second From header
   * included. A name is quoted where it would not read as one; an author without an address is a quoted name.
   */
  from?: string;
  reply_to?: string[];
  to: string[];
  cc?: string[];
  bcc?: string[];
  /** With angle brackets; at most 998 characters, none of them white space or a control character. */
  message_id?: string;
  /** The first id of the header. */
  in_reply_to?: string;
  /** With angle brackets, in the header's order; at most 100 are kept (first and last 50). */
  references?: string[];
  /**
   * By header name as first written; repeated headers are joined by a newline. Unfolded but not decoded: an encoded
   * line break must not pass for another header. At most 200 names and 256 KB.
   */
  headers: Record<string, string>;
  /** The value of Auto-Submitted (RFC 3834), absent when there is none. */
  auto_submitted?: string;
  /** Absent when the mail has HTML only; at most 4 MB. */
  text?: string;
  /** As sent, never safe to show as it is: `cid:` references stay; at most 4 MB. */
  html?: string;
  /** What the writer newly wrote: without quoted history and signature; of HTML only, as text. */
  extracted_text?: string;
  extracted_html?: string;
  /** The first 200 characters of the text, or of the HTML as text, white space folded. */
  preview?: string;
  attachments: ParsedAttachment[];
  /** For a delivery report (RFC 3464): Message-ID of the mail it is about, as its returned headers name it. */
  reported_message_id?: string;
  /** Why the mail could not be parsed, or not in full; it is stored and readable raw all the same. */
  parse_error?: string;
}

export interface ParsedAttachment {
  filename?: string;
  content_type?: string;
  content_disposition?: 'inline' | 'attachment';
  /** Without angle brackets. */
  content_id?: string;
  /** Bytes, decoded. */
  size: number;
  /** The decoded bytes, in a file that lives as long as the `ParsedFile` it came with. */
  path: string;
}

/** A parsed mail with its files; `dispose` removes them. */
export interface ParsedFile extends AsyncDisposable {
  mail: ParsedMail;
  /** SHA-256 (hex) of the mail below the trace headers that SES put on top. */
  digest: string;
  /** Bytes of the raw mail as stored. */
  size: number;
}

/** Port: turns the raw mail into a `ParsedFile`. Never throws for what a mail contains. */
export interface MailParser {
  parse(raw: AsyncIterable<Uint8Array>): Promise<ParsedFile>;
}
