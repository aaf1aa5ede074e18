import { encodeTime } from 'ulid';

const crockford = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * The ULID of a received mail, made from what names its delivery: the time SES took it and a hash of SES's id and
 * the inbox. A notice that comes twice leads to the same objects and rows, so that nothing is left behind.
 */
export function receivedUlid(timestamp: string, digest: Uint8Array): string {
  let bits = 0n;
  for (const byte of digest.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte);
  let random = '';
  for (let at = 0; at < 16; at++, bits >>= 5n) random = crockford[Number(bits & 31n)] + random;
  return encodeTime(Date.parse(timestamp), 10).toLowerCase() + random;
}

const shape = { msg: /^msg_[0-9a-hjkmnp-tv-z]{26}$/, thr: /^thr_[0-9a-hjkmnp-tv-z]{26}$/ };
/** Ids of another form lead nowhere; they are not looked up. */
export const isMessageId = (id: string): boolean => shape.msg.test(id);
export const isThreadId = (id: string): boolean => shape.thr.test(id);

/** An attachment's id names its message, so that it is found from its thread too: `att_<message ulid>_<n>`. */
export const attachmentId = (messageId: string, n: number): string => `att_${messageId.slice(4)}_${n}`;
export const messageOfAttachment = (id: string): string | undefined =>
  /^att_([0-9a-hjkmnp-tv-z]{26})_\d{1,4}$/.exec(id)?.[1];
