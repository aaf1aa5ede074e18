import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import type { Cloud, ResourceType, Service, ServiceRequest, ServiceResponse } from '../cloud.ts';
import { Counter } from './counter.ts';
import type { ReceiptRequest, ReceiveRequest, SendRequest } from './counter.ts';
import { byUrl, operations } from './operations.ts';
import { queueResources } from './queue-resource.ts';
import type { ReceivedMessage } from './receive.ts';
import type { Sent } from './send.ts';

/** A batch of 1 MiB, its JSON escapes included. */
const maxRequest = 8 * 1024 * 1024;
const hour = 60 * 60 * 1000;

/** SQS: standard and FIFO queues in a database under `<home>/sqs`, over JSON 1.0 and for the rest of the local cloud. */
export class Sqs implements Service {
  readonly scopes = ['sqs'];
  readonly resources: readonly ResourceType[];
  readonly #counter: Counter;
  readonly #active = new Set<Promise<unknown>>();
  #cancelExpiry = () => {};

  /** `endpoint` answers the origin of the local endpoint; it is asked when queues are deployed. */
  constructor(cloud: Cloud, endpoint: () => string) {
    const counter = new Counter(cloud);
    this.#counter = counter;
    this.resources = queueResources({
      region: cloud.region,
      account: cloud.account,
      endpoint,
      byArn: (arn) => counter.find(arn),
      byUrl: (url) => byUrl(counter, url),
      add: (settings) => counter.add(settings),
    });
    this.#expire();
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    try {
      const name =
        /^AmazonSQS\.(\w+)$/.exec(request.headers['x-amz-target'] ?? '')?.[1] ?? 'an unnamed operation';
      const input = await readJson(request);
      const output = await this.#counted(name, request, () => {
        const operation = operations[name];
        if (operation !== undefined) return operation(this.#counter, request.caller, input);
        throw new AwsError('NotImplemented', `The local SQS has no ${name}.`, { status: 501 });
      });
      return json(200, output);
    } catch (error) {
      return refusal(error);
    }
  }

  /** Puts a message in a queue, safe on return; asks for sqs:SendMessage. */
  async send(request: SendRequest): Promise<Sent> {
    return this.#counted('SendMessage', request, () => this.#counter.send(request));
  }

  /** Up to `max` messages, at the latest after `waitMs`; asks for sqs:ReceiveMessage. */
  async receive(request: ReceiveRequest): Promise<ReceivedMessage[]> {
    return this.#counted('ReceiveMessage', request, () => this.#counter.receive(request));
  }

  /** Asks for sqs:DeleteMessage. */
  async delete(request: ReceiptRequest): Promise<void> {
    await this.#counted('DeleteMessage', request, () => this.#counter.delete(request));
  }

  /** Hides a received message for so long from now on; asks for sqs:ChangeMessageVisibility. */
  async changeVisibility(request: ReceiptRequest & { visibilityMs: number }): Promise<void> {
    await this.#counted('ChangeMessageVisibility', request, () => this.#counter.changeVisibility(request));
  }

  /** What an event source mapping reads when it is set up; asks for sqs:GetQueueAttributes. */
  async settings(
    request: Pick<ReceiptRequest, 'caller' | 'queueArn'>,
  ): Promise<{ visibilityMs: number; fifo: boolean }> {
    return this.#counted('GetQueueAttributes', request, () => {
      const queue = this.#counter.byArn(request.queueArn);
      this.#counter.authorize(request.caller, 'GetQueueAttributes', queue);
      return { visibilityMs: queue.settings.visibility, fifo: queue.settings.fifo };
    });
  }

  /** Calls whenever there may be something to receive, at once too; the answer ends it. A nudge, no message. */
  onMessage(queueArn: string, listener: () => void): () => void {
    const end = this.#counter.byArn(queueArn).listen(listener);
    listener();
    return end;
  }

  async stop(): Promise<void> {
    this.#cancelExpiry();
    this.#counter.stopped = true;
    for (const queue of this.#counter.queues.values()) queue.close();
    await Promise.allSettled(this.#active);
    this.#counter.store.database.close();
  }

  async #counted<T>(
    name: string,
    { caller }: Pick<ServiceRequest, 'caller'>,
    work: () => Promise<T> | T,
  ): Promise<T> {
    const promise = this.#counter.recorded(name, caller, work);
    this.#active.add(promise);
    try {
      return await promise;
    } finally {
      this.#active.delete(promise);
    }
  }

  /** Messages past their retention are never handed out; this only frees their room. */
  #expire(): void {
    const { cloud, store, queues } = this.#counter;
    for (const { settings } of queues.values())
      store.expire(settings.name, cloud.clock.now() - settings.retention);
    this.#cancelExpiry = cloud.clock.after(hour, () => this.#expire());
  }
}

async function readJson(request: ServiceRequest): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxRequest)
      throw new AwsError('RequestEntityTooLarge', 'The request is too long.', { status: 413 });
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString() || '{}') as unknown;
  } catch {
    throw new AwsError('SerializationException', 'The request is not JSON.');
  }
}

const json = (status: number, value: unknown, headers: Record<string, string> = {}): ServiceResponse => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0', ...headers },
  body: JSON.stringify(value),
});

/** Codes whose name in the older query protocol, which clients may still go by, differs. */
const queryCodes: Record<string, string> = { QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue' };
const prefixed = [
  'BatchEntryIdsNotDistinct',
  'BatchRequestTooLong',
  'EmptyBatchRequest',
  'InvalidBatchEntryId',
  'MessageNotInflight',
  'PurgeQueueInProgress',
  'TooManyEntriesInBatchRequest',
  'UnsupportedOperation',
];

function refusal(error: unknown): ServiceResponse {
  const refused = error instanceof z.ZodError ? invalidInput(error) : error;
  if (!(refused instanceof AwsError)) throw refused;
  const { code, message, status } = refused;
  const queryCode = queryCodes[code] ?? (prefixed.includes(code) ? `AWS.SimpleQueueService.${code}` : code);
  const headers = { 'x-amzn-query-error': `${queryCode};${status >= 500 ? 'Receiver' : 'Sender'}` };
  return json(status, { __type: `com.amazonaws.sqs#${code}`, message }, headers);
}

function invalidInput(error: z.ZodError): AwsError {
  const [first] = error.issues;
  const path = first?.path.join('.') ?? '';
  return new AwsError(
    'InvalidParameterValue',
    `Value for parameter ${path} is invalid. Reason: ${first?.message}`,
  );
}
