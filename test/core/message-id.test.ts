import { createHash } from 'node:crypto';
import { decodeTime } from 'ulid';
import { describe, expect, it } from 'vitest';
import {
  attachmentId,
  isMessageId,
  isThreadId,
  messageOfAttachment,
  receivedUlid,
} from '../../lib/core/message-id.ts';

const hash = (text: string) => createHash('sha256').update(text).digest();

describe('the id of a received mail', () => {
  const at = '2026-01-31T12:00:00.123Z';

  it('is the same each time, and another for another inbox or delivery', () => {
    expect(receivedUlid(at, hash('a'))).toBe(receivedUlid(at, hash('a')));
    expect(receivedUlid(at, hash('a'))).not.toBe(receivedUlid(at, hash('b')));
    expect(isMessageId(`msg_${receivedUlid(at, hash('a'))}`)).toBe(true);
  });

  it('holds the time and the first 80 bits of the digest', () => {
    const ulid = receivedUlid(at, new Uint8Array(32).fill(255));
    expect(decodeTime(ulid.toUpperCase())).toBe(Date.parse(at));
    expect(ulid.slice(10)).toBe('z'.repeat(16));
    expect(receivedUlid(at, Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9, 9])).slice(10)).toBe(
      `${'0'.repeat(15)}1`,
    );
    expect(receivedUlid(at, Uint8Array.from([0x08, ...new Array(9).fill(0)])).slice(10)).toBe(
      `1${'0'.repeat(15)}`,
    );
  });

  it('sorts by time', () => {
    const times = ['2026-01-31T12:00:00.123Z', '2026-01-31T12:00:00.124Z', '2027-01-01T00:00:00.000Z'];
    const ids = times.map((time, n) => receivedUlid(time, hash(String(9 - n))));
    expect(ids.toSorted()).toEqual(ids);
  });
});

describe('the form of an id', () => {
  const ulid = receivedUlid('2026-01-31T12:00:00.123Z', hash('x'));
  it.each([
    '',
    'msg_',
    `msg_${ulid}0`,
    `msg_${ulid.slice(1)}`,
    `MSG_${ulid}`,
    `msg_${ulid.toUpperCase()}`,
    `thr_${ulid}`,
    `msg_${'i'.repeat(26)}`,
    ` msg_${ulid}`,
    `msg_${ulid}\n`,
    '<a@b>',
  ])('%j is no message id', (id) => {
    expect(isMessageId(id)).toBe(false);
  });
  it('of a thread differs by its prefix', () => {
    expect(isThreadId(`thr_${ulid}`)).toBe(true);
    expect(isThreadId(`msg_${ulid}`)).toBe(false);
  });
  it('of an attachment leads to its message', () => {
    expect(messageOfAttachment(attachmentId(`msg_${ulid}`, 12))).toBe(ulid);
    for (const id of [
      `att_${ulid}`,
      `att_${ulid}_`,
      `att_${ulid}_x`,
      `att_${ulid}_1/../2`,
      `att_${ulid}_12345`,
    ])
      expect(messageOfAttachment(id)).toBeUndefined();
  });
});
