import { beforeEach, describe, expect, it } from 'vitest';
import { backgroundThreads } from '../../lib/core/background-threads.ts';
import { reconcile } from '../../lib/core/reconcile.ts';
import { runDue } from '../../lib/core/run-due.ts';
import { inboxRef, sampleMail } from '../support/mail-samples.ts';
import { storedInbox } from '../support/table-house.ts';
import { MemoryMailbox } from '../support/memory-mailbox.ts';
import { counting, MemoryDue, MemoryObjects } from '../support/memory-ports.ts';

const folder = (n: number) => ({
  organization_id: inboxRef().organization_id,
  uid: inboxRef().uid,
  message_id: `msg_${n}`,
});
const name = (n: number) => `${folder(n).organization_id}/${folder(n).uid}/msg_${n}/raw`;
let due: MemoryDue;
let objects: MemoryObjects;
let reported: Record<string, unknown>[];
let reconciled: number;
let left: number;
let run: () => ReturnType<ReturnType<typeof runDue>>;
beforeEach(() => {
  [due, objects, reported, reconciled] = [new MemoryDue(), new MemoryObjects(), [], 0];
  const mailbox = new MemoryMailbox();
  const inboxes = { get: async () => storedInbox() };
  left = 300_000;
  const started = runDue({
    due,
    works: {
      ...backgroundThreads({ mailbox, inboxes, objects, now: Date.now, ulid: counting(), due }),
      'retry-delivery': async () => {},
      'watch-deliveries': async () => {},
      'watch-removal': async () => {},
      'delete-archive': async () => {},
      'announce-expiry': async () => {},
      'expire-inbox': async () => {},
      'retain-mail': async () => {},
      'measure-storage': async () => {},
      withdraw: async () => {},
    },
    reconcile: async () => void reconciled++,
    report: (_error, about) => void reported.push(about),
  });
  run = () => started(() => left);
  for (let n = 1; n <= 4; n++) objects.kept.set(name(n), true);
});
const erase = (minute: string, n: number) =>
  due.add(`${minute} w${n}`, { kind: 'erase-objects', folders: [folder(n)] });

describe('work that is due', () => {
  it('is done in order of time, and once', async () => {
    erase('2026-01-01T00:02', 2);
    erase('2026-01-01T00:01', 1);
    due.add('2026-01-01T00:03 w3', { kind: 'delete-thread', inbox: inboxRef(), thread_id: 'thr_gone' });
    due.add('2026-01-01T00:03 w4', {
      kind: 'label-thread',
      inbox: inboxRef(),
      thread_id: 'thr_gone',
      add: ['a'],
      remove: [],
      permitted: [],
      upTo: '~',
    });
    expect(await run()).toEqual({ done: 4, failed: 0 });
    expect([...objects.kept.keys()]).toEqual([name(3), name(4)]);
    expect([...due.filed]).toEqual([]);
    expect(await run()).toEqual({ done: 0, failed: 0 });
    expect(reconciled).toBe(2);
  });

  it('that fails is reported and put off, and holds up nothing', async () => {
    for (let n = 1; n <= 3; n++) erase('2026-01-01T00:01', n);
    erase('2026-01-01T00:02', 4);
    const removeAll = objects.removeAll.bind(objects);
    objects.removeAll = async (one) => {
      if (one.message_id === 'msg_2') throw new Error('S3 says no');
      await removeAll(one);
    };
    expect(await run()).toEqual({ done: 3, failed: 1 });
    expect(due.putOffs).toEqual(['2026-01-01T00:01 w2']);
    expect(reported).toEqual([{ kind: 'erase-objects' }]);
    expect(reconciled).toBe(1);
  });

  it('is begun in the first 50 seconds only; the rest is left to the next run, which has begun by then', async () => {
    for (let n = 1; n <= 4; n++) erase(`2026-01-01T00:0${n}`, n);
    const removeAll = objects.removeAll.bind(objects);
    objects.removeAll = async (one) => {
      left -= 20_000;
      await removeAll(one);
    };
    expect(await run()).toEqual({ done: 3, failed: 0 });
    expect([...due.filed.keys()]).toEqual(['2026-01-01T00:04 w4']);
    expect(reconciled).toBe(1);
    expect(await run()).toEqual({ done: 1, failed: 0 });
  });

  it('of one lane does not wait for another’s', async () => {
    const slow = Promise.withResolvers<void>();
    const lane = async function* (id: string, n: number) {
      yield { id, work: { kind: 'erase-objects' as const, folders: [folder(n)] } };
    };
    due.lanes = () => [lane('slow', 1), lane('quick', 2)];
    const done: string[] = [];
    due.done = async (id) => {
      done.push(id);
      if (id === 'quick') slow.resolve();
    };
    const removeAll = objects.removeAll.bind(objects);
    objects.removeAll = async (one) => {
      if (one.message_id === 'msg_1') await slow.promise;
      await removeAll(one);
    };
    expect(await run()).toEqual({ done: 2, failed: 0 });
    expect(done).toEqual(['quick', 'slow']);
  });
});

describe('mail whose notice was lost', () => {
  const head = [
    'Return-Path: <bob@sender.test>',
    'Received: from x by inbound-smtp.us-east-1.amazonaws.com with SMTP id y',
    ' for ada@mail.test;',
    ' Thu, 1 Jan 2026 00:00:00 +0000',
    'X-SES-Spam-Verdict: PASS',
    '',
    '',
  ].join('\r\n');
  it('is taken in from what SES wrote on it; what nobody can read is reported, and one failure stops no other', async () => {
    const taken: string[] = [];
    for (const key of ['incoming/a', 'incoming/b', 'incoming/c', 'incoming/d'])
      objects.arrive(key, sampleMail());
    objects.left = [
      { key: 'incoming/a', stored_at: '2026-01-01T00:00:00.000Z', head: 'no trace' },
      { key: 'incoming/b', stored_at: '2026-01-01T00:00:00.000Z', head },
      { key: 'incoming/c', stored_at: '2026-01-01T00:00:00.000Z', head },
      { key: 'incoming/d', stored_at: '2026-01-01T00:00:00.000Z', head },
    ];
    const receive = async ({ key, envelope }: { key: string; envelope: string }) => {
      if (key === 'incoming/c') throw new Error('no');
      taken.push(`${key} ${envelope}`);
    };
    await reconcile({
      objects,
      receive,
      now: Date.now,
      report: (_error, about) => void reported.push(about),
    })(() => true);
    expect(taken).toEqual(['incoming/b inferred', 'incoming/d inferred']);
    expect(reported).toEqual([{ key: 'incoming/a' }, { key: 'incoming/c' }]);
  });

  it('is left to the next run when there is no time to begin', async () => {
    objects.arrive('incoming/b', sampleMail());
    objects.left = [{ key: 'incoming/b', stored_at: '2026-01-01T00:00:00.000Z', head }];
    const taken: string[] = [];
    const receive = async ({ key }: { key: string }) => void taken.push(key);
    const once = reconcile({ objects, receive, now: Date.now, report: () => {} });
    await once(() => false);
    expect(taken).toEqual([]);
    await once(() => true);
    expect(taken).toEqual(['incoming/b']);
  });
});
