import { createHash } from 'node:crypto';
import * as z from 'zod';
import { AwsError } from '../aws-error.ts';

/** One attribute as the JSON protocol writes it; `BinaryValue` is base64. */
export const messageAttribute = z.object({
  DataType: z.string(),
  StringValue: z.string().nullish(),
  BinaryValue: z.string().nullish(),
});
export type MessageAttribute = z.infer<typeof messageAttribute>;
export type MessageAttributes = Record<string, MessageAttribute>;

export const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** SQS's own digest of attributes: by name, each part with its length before it; `undefined` when there are none. */
export function attributesMd5(attributes: MessageAttributes): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash('md5');
  const add = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const name of names) {
    const attribute = attributes[name]!;
    const binary = attribute.DataType.startsWith('Binary');
    add(Buffer.from(name));
    add(Buffer.from(attribute.DataType));
    hash.update(Buffer.of(binary ? 2 : 1));
    add(attributeValue(attribute));
  }
  return hash.digest('hex');
}

function attributeValue({ DataType, BinaryValue, StringValue }: MessageAttribute): Buffer {
  return DataType.startsWith('Binary')
    ? Buffer.from(BinaryValue ?? '', 'base64')
    : Buffer.from(StringValue ?? '');
}

/** Bytes that count against the size of a message. Throws for more than 10 attributes, or one SQS would refuse. */
export function checkedAttributesSize(attributes: MessageAttributes): number {
  const entries = Object.entries(attributes);
  if (entries.length > 10) throw invalid('Number of message attributes exceeds the allowed maximum of 10.');
  return entries.reduce((sum, [name, attribute]) => sum + checkedSize(name, attribute), 0);
}

function checkedSize(name: string, attribute: MessageAttribute): number {
  if (!/^[\w.-]{1,256}$/.test(name) || /^(aws|amazon)\./i.test(name) || /^\.|\.\.|\.$/.test(name)) {
    throw invalid(`Message attribute name '${name}' is invalid.`);
  }
  if (!/^(String|Number|Binary)(\..+)?$/.test(attribute.DataType) || attribute.DataType.length > 256) {
    throw invalid(`The message attribute '${name}' has an invalid message attribute type.`);
  }
  const value = attributeValue(attribute);
  if (value.length === 0) throw invalid(`Message attribute '${name}' must have a non-empty value.`);
  if (attribute.DataType.startsWith('Number') && !Number.isFinite(Number(attribute.StringValue))) {
    throw invalid(`Can't cast the value of message attribute '${name}' to a number.`);
  }
  return Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType) + value.length;
}

/** The attributes a receiver asked for: `All`, `.*`, names, and `prefix.*`. */
export function chosenAttributes(
  attributes: MessageAttributes,
  wanted: readonly string[],
): MessageAttributes {
  const chosen = (name: string) =>
    wanted.some((each) => {
      if (each === 'All' || each === '.*' || each === name) return true;
      return each.endsWith('.*') && name.startsWith(each.slice(0, -1));
    });
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => chosen(name)));
}

const invalid = (message: string) => new AwsError('InvalidParameterValue', message);
