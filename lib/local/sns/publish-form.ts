import { AwsError } from '../aws-error.ts';
import type { NoticeAttribute } from './envelope.ts';

/** 256 KiB of message, three bytes for each where it is percent-encoded, and its attributes. */
const maxForm = 2 * 1024 * 1024;

/** A request of the query protocol, read as far as Publish needs it. */
export interface PublishForm {
  action: string;
  topicArn: string;
  message: string;
  subject: string | undefined;
  messageAttributes: Record<string, NoticeAttribute>;
}

/** Throws InvalidParameter (400) for the destinations and structures of Publish that are not played. */
export async function readPublish(body: AsyncIterable<Uint8Array>): Promise<PublishForm> {
  const form = new URLSearchParams(await readText(body));
  for (const name of [
    'PhoneNumber',
    'TargetArn',
    'MessageStructure',
    'MessageGroupId',
    'MessageDeduplicationId',
  ]) {
    if (form.has(name))
      throw new AwsError('InvalidParameter', `Invalid parameter: ${name} is not played here`);
  }
  return {
    action: form.get('Action') ?? 'an unnamed action',
    topicArn: form.get('TopicArn') ?? '',
    message: form.get('Message') ?? '',
    subject: form.get('Subject') ?? undefined,
    messageAttributes: attributes(form),
  };
}

function attributes(form: URLSearchParams): Record<string, NoticeAttribute> {
  const found: Record<string, NoticeAttribute> = {};
  for (let index = 1; ; index++) {
    const prefix = `MessageAttributes.entry.${index}`;
    const name = form.get(`${prefix}.Name`);
    if (name === null) return found;
    const value = form.get(`${prefix}.Value.StringValue`) ?? form.get(`${prefix}.Value.BinaryValue`) ?? '';
    found[name] = { type: form.get(`${prefix}.Value.DataType`) ?? '', value };
  }
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxForm) throw new AwsError('InvalidParameter', 'Invalid parameter: Message too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
