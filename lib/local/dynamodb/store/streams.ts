import { createHash } from 'node:crypto';
import type { Item } from '../value/attribute-value.ts';
import { itemSize } from '../value/size.ts';
import type { Database } from './database.ts';
import { keyOf } from './key-schema.ts';
import type { StreamView, Table } from './table.ts';

/** A stream record as a Lambda function is handed it. */
export interface StreamRecord {
  eventID: string;
  eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  eventVersion: '1.1';
  eventSource: 'aws:dynamodb';
  awsRegion: string;
  dynamodb: {
    /** Seconds since the epoch. */
    ApproximateCreationDateTime: number;
    Keys: Item;
    NewImage?: Item;
    OldImage?: Item;
    SequenceNumber: string;
    SizeBytes: number;
    StreamViewType: StreamView;
  };
  eventSourceARN: string;
  /** Only on what the time to live deleted. */
  userIdentity?: { type: 'Service'; principalId: 'dynamodb.amazonaws.com' };
}
export type Stream = NonNullable<Table['stream']> & { tableId: number };

/** How long DynamoDB keeps a stream record. */
export const STREAM_RETENTION_MS = 24 * 60 * 60 * 1000;
/** Sequence numbers have at least 21 digits on AWS; all of ours have 21, so they sort as text too. */
const SEQUENCE_BASE = 10n ** 20n;

export function sequenceText(sequence: number): string {
  return String(SEQUENCE_BASE + BigInt(sequence));
}

/** The row number a sequence number stands for, or undefined when it is none of ours. */
export function sequenceOf(text: string): number | undefined {
  return /^1\d{20}$/.test(text) ? Number(BigInt(text) - SEQUENCE_BASE) : undefined;
}

type Body = Pick<StreamRecord, 'eventName' | 'userIdentity'> & {
  dynamodb: Pick<StreamRecord['dynamodb'], 'Keys' | 'NewImage' | 'OldImage' | 'SizeBytes' | 'StreamViewType'>;
};

/** What changed, for the stream of a table. `byTtl`: the time to live deleted it. */
export function streamBody(
  table: Table,
  old: Item | undefined,
  item: Item | undefined,
  byTtl: boolean,
): Body {
  const view = table.stream!.view;
  const keys = keyOf(table.keys, (item ?? old)!);
  const withNew = view === 'NEW_IMAGE' || view === 'NEW_AND_OLD_IMAGES';
  const withOld = view === 'OLD_IMAGE' || view === 'NEW_AND_OLD_IMAGES';
  const images = {
    ...(item !== undefined && withNew ? { NewImage: item } : {}),
    ...(old !== undefined && withOld ? { OldImage: old } : {}),
  };
  const SizeBytes = [keys, ...Object.values(images)].reduce((sum, image) => sum + itemSize(image), 0);
  return {
    eventName: old === undefined ? 'INSERT' : item === undefined ? 'REMOVE' : 'MODIFY',
    dynamodb: { Keys: keys, ...images, SizeBytes, StreamViewType: view },
    ...(byTtl ? { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } as const } : {}),
  };
}

/** Stream records in the SQLite file. Sequence numbers never repeat, whatever was trimmed. */
export class StreamRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  append(stream: Stream, at: number, body: Body): void {
    this.#database
      .statement('INSERT INTO stream_records (table_id, label, at, body) VALUES (?, ?, ?, ?)')
      .run(stream.tableId, stream.label, at, JSON.stringify(body));
  }

  /** Up to `limit` records after a sequence number, none older than `since` (milliseconds). */
  after(stream: Stream, sequence: number, since: number, limit: number, region: string): StreamRecord[] {
    return this.#database
      .statement(
        'SELECT sequence, at, body FROM stream_records ' +
          'WHERE table_id = ? AND label = ? AND sequence > ? AND at >= ? ORDER BY sequence LIMIT ?',
      )
      .all(stream.tableId, stream.label, sequence, since, limit)
      .map((raw) => recordOf(stream, region, raw as unknown as RawRecord));
  }

  /** The last sequence number given out, 0 before the first. */
  last(): number {
    const sql = "SELECT seq FROM sqlite_sequence WHERE name = 'stream_records'";
    return (this.#database.statement(sql).get()?.['seq'] as number | undefined) ?? 0;
  }

  /** The oldest record of a stream that is still readable. */
  oldest(stream: Stream, since: number): number | undefined {
    const sql =
      'SELECT min(sequence) AS first FROM stream_records WHERE table_id = ? AND label = ? AND at >= ?';
    const first = this.#database.statement(sql).get(stream.tableId, stream.label, since)?.['first'];
    return (first as number | null) ?? undefined;
  }

  trim(before: number): void {
    this.#database.statement('DELETE FROM stream_records WHERE at < ?').run(before);
  }
}

interface RawRecord {
  sequence: number;
  at: number;
  body: string;
}

function recordOf(stream: Stream, region: string, { sequence, at, body }: RawRecord): StreamRecord {
  const { eventName, dynamodb, userIdentity } = JSON.parse(body) as Body;
  return {
    eventID: createHash('md5').update(`${stream.arn}/${sequence}`).digest('hex'),
    eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(at / 1000),
      ...dynamodb,
      SequenceNumber: sequenceText(sequence),
    },
    eventSourceARN: stream.arn,
    ...(userIdentity === undefined ? {} : { userIdentity }),
  };
}
