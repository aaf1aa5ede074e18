import { AwsError } from '../aws-error.ts';
import { callerName } from '../caller-name.ts';
import type { Caller, Cloud } from '../cloud.ts';
import type { MessageAttributes } from './message-attributes.ts';
import { MessageStore } from './message-store.ts';
import { Queue } from './queue.ts';
import type { QueueSettings } from './queue.ts';
import { receiptOf, take } from './receive.ts';
import type { ReceivedMessage } from './receive.ts';
import { sendTo } from './send.ts';
import type { Outgoing, Sent } from './send.ts';

export interface SendRequest {
  caller: Caller;
  queueArn: string;
  body: string;
  messageAttributes?: MessageAttributes | undefined;
  groupId?: string | undefined;
  deduplicationId?: string | undefined;
  delaySeconds?: number | undefined;
}
export interface ReceiveRequest {
  caller: Caller;
  queueArn: string;
  /** 1 to 10. */
  max: number;
  /** How long to wait for a first message. */
  waitMs: number;
  /** How long what is received stays hidden; the queue's own timeout when absent. */
  visibilityMs?: number | undefined;
}
export interface ReceiptRequest {
  caller: Caller;
  queueArn: string;
  receiptHandle: string;
}

/** A finished StartMessageMoveTask. */
export interface MessageMove {
  sourceArn: string;
  destinationArn: string | undefined;
  moved: number;
  /** Messages whose queue of origin nobody knows. */
  left: number;
  /** Milliseconds since the epoch. */
  started: number;
}

/** The queues and what one does at them, whichever door a request came through; every call asks IAM. */
export class Counter {
  readonly cloud: Cloud;
  readonly store: MessageStore;
  readonly queues = new Map<string, Queue>();
  readonly moves: MessageMove[] = [];
  stopped = false;

  constructor(cloud: Cloud) {
    this.cloud = cloud;
    this.store = new MessageStore(cloud);
  }

  add(settings: QueueSettings): void {
    const { clock } = this.cloud;
    const { name, retention } = settings;
    this.store.expire(name, clock.now() - retention);
    this.queues.set(name, new Queue(settings, clock, () => this.store.nextVisible(name, clock.now())));
  }

  /** QueueDoesNotExist (400) where there is none. */
  byArn(arn: string): Queue {
    const queue = this.find(arn);
    if (queue === undefined) throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');
    return queue;
  }

  find(arn: string): Queue | undefined {
    const name = arn.split(':').at(-1) ?? '';
    const queue = this.queues.get(name);
    return queue?.settings.arn === arn ? queue : undefined;
  }

  authorize(caller: Caller, action: string, queue: Queue): void {
    this.cloud.authorize({
      caller,
      action: `sqs:${action}`,
      resource: queue.settings.arn,
      context: { 'aws:SecureTransport': 'true' },
      resourcePolicy: queue.policy,
    });
  }

  /** The message is safe when this returns. */
  send(request: SendRequest): Sent {
    const {
      caller,
      body,
      messageAttributes: attributes,
      groupId: group,
      deduplicationId,
      delaySeconds,
    } = request;
    const queue = this.byArn(request.queueArn);
    this.authorize(caller, 'SendMessage', queue);
    const sender = senderId(caller);
    return this.put(queue, { body, attributes, group, deduplication: deduplicationId, delaySeconds, sender });
  }

  /** Without asking IAM: the entries of a batch are asked for together. */
  put(queue: Queue, message: Outgoing): Sent {
    return sendTo(this.cloud, this.store, queue, message);
  }

  async receive(request: ReceiveRequest): Promise<ReceivedMessage[]> {
    const queue = this.byArn(request.queueArn);
    const { clock } = this.cloud;
    const deadline = clock.now() + request.waitMs;
    this.authorize(request.caller, 'ReceiveMessage', queue);
    for (;;) {
      if (this.stopped) return [];
      const visibility = request.visibilityMs ?? queue.settings.visibility;
      const messages = take(this.cloud, this.store, queue, (arn) => this.find(arn), request.max, visibility);
      const left = deadline - clock.now();
      if (messages.length > 0 || left <= 0) {
        queue.armTimer();
        return messages;
      }
      await queue.wait(left);
    }
  }

  /** An outdated receipt deletes nothing and is no error, as SQS has it for standard queues. */
  delete(request: ReceiptRequest): void {
    const queue = this.byArn(request.queueArn);
    this.authorize(request.caller, 'DeleteMessage', queue);
    this.remove(queue, request.receiptHandle);
  }

  remove(queue: Queue, receiptHandle: string): void {
    const message = receiptOf(this.store, queue, receiptHandle);
    if (queue.settings.fifo && message !== undefined && message.visible <= this.cloud.clock.now()) {
      const reason = 'The receipt handle has expired.';
      throw new AwsError(
        'InvalidParameterValue',
        `Value for parameter ReceiptHandle is invalid. Reason: ${reason}`,
      );
    }
    if (message === undefined) return;
    this.store.remove(message.sequence);
    // The next message of a FIFO group may be had now.
    if (queue.settings.fifo) queue.wake();
  }

  changeVisibility(request: ReceiptRequest & { visibilityMs: number }): void {
    const queue = this.byArn(request.queueArn);
    this.authorize(request.caller, 'ChangeMessageVisibility', queue);
    this.hide(queue, request.receiptHandle, request.visibilityMs);
  }

  hide(queue: Queue, receiptHandle: string, visibilityMs: number): void {
    const message = receiptOf(this.store, queue, receiptHandle);
    const now = this.cloud.clock.now();
    if (message === undefined || message.visible <= now) {
      throw new AwsError('MessageNotInflight', 'The specified message is not in flight.');
    }
    this.store.hide(message.sequence, now + visibilityMs);
    if (visibilityMs === 0) queue.wake();
    else queue.armTimer();
  }

  /** Counts a call, with its error if it has one. */
  async recorded<T>(action: string, caller: Caller, work: () => Promise<T> | T): Promise<T> {
    const call = { service: 'sqs', action, by: callerName(caller) };
    try {
      const result = await work();
      this.cloud.record(call);
      return result;
    } catch (error) {
      this.cloud.record({ ...call, error: error instanceof AwsError ? error.code : 'InternalError' });
      throw error;
    }
  }
}

/** What SenderId tells of a caller. */
export function senderId(caller: Caller): string {
  if (caller.kind === 'role' || caller.kind === 'operator') return caller.accessKeyId;
  return caller.kind === 'service' ? caller.service : 'anonymous';
}
