import type { Caller } from '../cloud.ts';

/** What Lambda needs from the queues of the local cloud. */
export interface SqsSource {
  /** Up to `max` (at most 10) visible messages; each stays hidden for the queue's visibility timeout. */
  receive(input: { caller: Caller; queueArn: string; max: number; waitMs: number }): Promise<QueueMessage[]>;
  delete(input: { caller: Caller; queueArn: string; receiptHandle: string }): Promise<void>;
  send(input: { caller: Caller; queueArn: string; body: string }): Promise<unknown>;
  /** How long a received message stays hidden (milliseconds); asks for sqs:GetQueueAttributes. */
  settings(input: { caller: Caller; queueArn: string }): Promise<{ visibilityMs: number }>;
  /** Calls when a message may have become visible; the answer ends it. */
  onMessage(queueArn: string, listener: () => void): () => void;
}

/** A message with all its system attributes, as ReceiveMessage answers it. */
export interface QueueMessage {
  messageId: string;
  receiptHandle: string;
  body: string;
  md5OfBody: string;
  /** System attributes: ApproximateReceiveCount, SentTimestamp, SenderId, … */
  attributes: Record<string, string>;
  messageAttributes: Record<string, QueueMessageAttribute>;
  md5OfMessageAttributes?: string | undefined;
}
export interface QueueMessageAttribute {
  DataType: string;
  StringValue?: string | null | undefined;
  /** Base64. */
  BinaryValue?: string | null | undefined;
}
