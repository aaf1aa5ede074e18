import MailComposer from 'nodemailer/lib/mail-composer';
import { checkFileName } from './attachment-name.ts';
import { badRequest, type Mailbox } from './mailbox.ts';
import type { SimpleContent } from './send-request.ts';

interface SimpleMail {
  from: Mailbox;
  to: Mailbox[];
  cc: Mailbox[];
  replyTo: Mailbox[];
  content: SimpleContent;
}

/** Fields SES writes itself, which Simple content may not give ("Amazon SES header fields"). */
const ownHeaders = new Set([
  'bcc',
  'cc',
  'content-disposition',
  'content-type',
  'date',
  'from',
  'message-id',
  'mime-version',
  'reply-to',
  'return-path',
  'subject',
  'to',
]);
const LONGEST_NAME = 126;
const LONGEST_VALUE = 995;
const LONGEST_HEADER = 996;

/** The MIME message of Simple content, without Bcc. Throws BadRequestException for what SES does not send. */
export async function composeMail({ from, to, cc, replyTo, content }: SimpleMail): Promise<Buffer> {
  const { Subject, Body, Headers = [], Attachments = [] } = content;
  if (/[\0\r\n]/.test(Subject.Data)) throw badRequest('Subject contains control characters or a line end.');
  if (Body.Text === undefined && Body.Html === undefined) throw badRequest('Body has neither Text nor Html.');
  const composed = new MailComposer({
    subject: textOf('Subject', Subject)!,
    text: textOf('Body.Text', Body.Text),
    html: textOf('Body.Html', Body.Html),
    attachments: Attachments.map(attachmentOf),
    // Neither a path nor a URL in what a caller wrote is for this machine to open.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const mime = await composed.compile().build();
  const own = [
    `From: ${from.text}`,
    ...list('To', to),
    ...list('Cc', cc),
    ...list('Reply-To', replyTo),
    ...Headers.map(headerLine),
  ];
  return Buffer.concat([Buffer.from(`${own.join('\r\n')}\r\n`), mime]);
}

/** Without a charset SES takes 7-bit ASCII (API reference, Content). */
function textOf(
  what: string,
  text: { Data: string; Charset?: string | undefined } | undefined,
): string | undefined {
  const ascii = !/^utf/i.test(text?.Charset ?? '');
  // eslint-disable-next-line no-control-regex
  if (text !== undefined && ascii && /[^\x00-\x7f]/.test(text.Data)) {
    throw badRequest(`${what} has characters outside ASCII: give it the Charset UTF-8.`);
  }
  return text?.Data;
}

const list = (name: string, mailboxes: Mailbox[]): string[] =>
  mailboxes.length === 0 ? [] : [`${name}: ${mailboxes.map(({ text }) => text).join(',\r\n ')}`];

function headerLine({ Name, Value }: { Name: string; Value: string }): string {
  if (!/^[!-9;-~]+$/.test(Name) || Name.length > LONGEST_NAME) throw badRequest('Invalid header name.');
  if (ownHeaders.has(Name.toLowerCase())) throw badRequest(`Header ${Name} is not allowed.`);
  if (
    !/^[ -~]*$/.test(Value) ||
    Value.length > LONGEST_VALUE ||
    Name.length + Value.length > LONGEST_HEADER
  ) {
    throw badRequest(`Invalid value of header ${Name}.`);
  }
  return `${Name}: ${Value}`;
}

function attachmentOf(file: NonNullable<SimpleContent['Attachments']>[number]) {
  checkFileName(file.FileName);
  const description = file.ContentDescription;
  if (description !== undefined && !/^[ -~]*$/.test(description)) {
    throw badRequest(`Invalid description of attachment ${file.FileName}.`);
  }
  const encodings = { BASE64: 'base64', QUOTED_PRINTABLE: 'quoted-printable', SEVEN_BIT: '7bit' } as const;
  return {
    filename: file.FileName,
    content: file.RawContent,
    contentDisposition: file.ContentDisposition === 'INLINE' ? 'inline' : 'attachment',
    contentTransferEncoding: encodings[file.ContentTransferEncoding ?? 'BASE64'],
    ...(file.ContentType === undefined ? {} : { contentType: file.ContentType }),
    ...(file.ContentId === undefined ? {} : { cid: file.ContentId }),
    ...(description === undefined ? {} : { headers: { 'Content-Description': description } }),
  };
}
