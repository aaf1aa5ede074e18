import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import { badRequest } from './mailbox.ts';

/** Not adjustable ("Service quotas in Amazon SES"). */
export const MOST_RECIPIENTS = 50;
const MOST_HEADERS = 15;
const MOST_TAGS = 50;

const tagText = z.string().regex(/^[A-Za-z0-9_-]{1,256}$/, {
  error: 'has to be 1 to 256 of A-Z, a-z, 0-9, _ and -',
});
const tags = z.array(z.strictObject({ Name: tagText, Value: tagText })).max(MOST_TAGS);
const addresses = z.array(z.string()).optional();
/** No regular expression: it would run out of stack on a mail of 40 MB. */
const base64 = z.string().transform((text, context) => {
  const octets = Buffer.from(text, 'base64');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (text.length % 4 !== 0 || octets.length !== (text.length / 4) * 3 - padding) {
    context.addIssue({ code: 'custom', message: 'is not base64' });
  }
  return octets;
});
const text = z.strictObject({
  Data: z.string(),
  // What is composed here is UTF-8 on the wire, which says the same as any other name for it.
  Charset: z
    .string()
    .regex(/^(utf-?8|us-ascii|ascii)$/i, { error: 'is UTF-8 or US-ASCII in the local SES' })
    .optional(),
});
const attachment = z.strictObject({
  FileName: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^/\\:*?"<>|\p{Cc}]+$/u, { error: 'has a character that SES takes in no file name' }),
  RawContent: base64,
  ContentDescription: z.string().max(1000).optional(),
  ContentDisposition: z.enum(['ATTACHMENT', 'INLINE']).optional(),
  ContentId: z
    .string()
    .regex(/^[!-;=?-~]{1,78}$/)
    .optional(),
  ContentTransferEncoding: z.enum(['BASE64', 'QUOTED_PRINTABLE', 'SEVEN_BIT']).optional(),
  ContentType: z
    .string()
    .regex(/^[ -~]{1,78}$/)
    .optional(),
});
const simple = z.strictObject({
  Subject: text,
  Body: z.strictObject({ Text: text.optional(), Html: text.optional() }),
  Headers: z
    .array(z.strictObject({ Name: z.string(), Value: z.string() }))
    .max(MOST_HEADERS)
    .optional(),
  Attachments: z.array(attachment).optional(),
});

const request = z.strictObject({
  FromEmailAddress: z.string().optional(),
  Destination: z
    .strictObject({ ToAddresses: addresses, CcAddresses: addresses, BccAddresses: addresses })
    .optional(),
  ReplyToAddresses: addresses,
  Content: z.strictObject({
    Raw: z.strictObject({ Data: base64 }).optional(),
    Simple: simple.optional(),
  }),
  EmailTags: tags.optional(),
  ConfigurationSetName: z.string().min(1).optional(),
});

export type SendRequest = z.output<typeof request>;
export type SimpleContent = z.output<typeof simple>;

/** What SES has and the local one does not; to say yes to it would be a lie. */
const unsupported = [
  'FeedbackForwardingEmailAddress',
  'FeedbackForwardingEmailAddressIdentityArn',
  'FromEmailAddressIdentityArn',
  'ListManagementOptions',
  'EndpointId',
  'ConfigurationOverrides',
];

/** Reads the body of SendEmail. Throws BadRequestException with the path of what is wrong. */
export function readSendRequest(body: string): SendRequest {
  const given = parsed(body);
  for (const name of unsupported) {
    if (given[name] !== undefined) throw badRequest(`The local SES does not support ${name}.`);
  }
  if (given['TenantName'] !== undefined) {
    const message = `Tenant ${JSON.stringify(given['TenantName'])} does not exist: the local SES has none.`;
    throw new AwsError('NotFoundException', message, { status: 404 });
  }
  if ((given['Content'] as { Template?: unknown } | undefined)?.Template !== undefined) {
    throw badRequest('The local SES does not send templates: give Content.Raw or Content.Simple.');
  }
  const read = request.safeParse(given);
  if (!read.success) {
    const issue = read.error.issues[0]!;
    throw badRequest(`${issue.path.join('.')}: ${issue.message}`);
  }
  const { Raw, Simple } = read.data.Content;
  if ((Raw === undefined) === (Simple === undefined)) {
    throw badRequest('Content has to be one of Raw, Simple and Template.');
  }
  return read.data;
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw badRequest('The body is not a JSON object.');
}

/** EmailTags in the form a raw message may give them: `name=value, name=value`. Throws BadRequestException. */
export function checkTagHeader(value: string): void {
  const list = value.split(',').map((pair) => {
    const [Name, Value, ...more] = pair.trim().split('=');
    return more.length > 0 ? {} : { Name, Value };
  });
  if (!tags.safeParse(list).success) throw badRequest('X-SES-MESSAGE-TAGS: Invalid tag.');
}
