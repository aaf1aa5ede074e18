import type { Caller } from '../../../lib/local/cloud.ts';
import type { StreamRecord, StreamSource } from '../../../lib/local/lambda/stream-source.ts';

/** One stream in memory; sequence numbers are `100`, `101`, … */
export class FakeStream implements StreamSource {
  readonly records: StreamRecord[] = [];
  readonly #listeners = new Set<() => void>();

  /** Adds a record of an item with this key and type. */
  put(key: string, type: string, at = Date.now()): void {
    const image = { pk: { S: key }, type: { S: type } };
    this.records.push({
      eventID: key,
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'us-east-1',
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(at / 1000),
        Keys: { pk: { S: key } },
        NewImage: image,
        SequenceNumber: String(100 + this.records.length),
        SizeBytes: 10,
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
    });
    for (const listener of this.#listeners) listener();
  }

  readStream(_caller: Caller, _streamArn: string, after: string, limit: number): StreamRecord[] {
    return this.records.slice(after === 'TRIM_HORIZON' ? 0 : Number(after) - 99).slice(0, limit);
  }

  latestSequence(): string {
    return String(99 + this.records.length);
  }

  onStream(_streamArn: string, listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
