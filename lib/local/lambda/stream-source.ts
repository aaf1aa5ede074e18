import type { Caller } from '../cloud.ts';

/** What Lambda needs from the streams of the local cloud's tables. */
export interface StreamSource {
  /** Records after a sequence number, oldest first, at most `limit`; `TRIM_HORIZON` is before the oldest kept one. */
  readStream(caller: Caller, streamArn: string, after: string, limit: number): StreamRecord[];
  /** The sequence number of the newest record there is. */
  latestSequence(streamArn: string): string;
  /** Calls when a record was written; the answer ends it. */
  onStream(streamArn: string, listener: () => void): () => void;
}

/** A record as GetRecords answers it, numbers as strings and binary values as base64. */
export interface StreamRecord {
  eventID: string;
  eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  eventVersion: string;
  eventSource: string;
  awsRegion: string;
  dynamodb: {
    /** Seconds since the epoch. */
    ApproximateCreationDateTime: number;
    Keys: object;
    NewImage?: object;
    OldImage?: object;
    SequenceNumber: string;
    SizeBytes: number;
    StreamViewType: string;
  };
  userIdentity?: unknown;
}
