import { randomUUID } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import { callerName } from '../caller-name.ts';
import type { Caller, Cloud, ResourceType, Service, ServiceRequest, ServiceResponse } from '../cloud.ts';
import { xmlElement } from '../xml-element.ts';
import { Deliveries } from './deliveries.ts';
import type { QueueSender } from './deliveries.ts';
import { envelope } from './envelope.ts';
import type { Notice, NoticeAttribute } from './envelope.ts';
import { readPublish } from './publish-form.ts';
import { topicResources } from './topic-resource.ts';
import type { Topic } from './topic-resource.ts';

/** 256 KiB: message and attributes together. */
const maxMessage = 256 * 1024;
const namespace = 'http://sns.amazonaws.com/doc/2010-03-31/';

export interface PublishRequest {
  caller: Caller;
  topicArn: string;
  message: string;
  subject?: string | undefined;
  messageAttributes?: Record<string, NoticeAttribute> | undefined;
}

/** SNS: topics whose subscribers are queues. Publish over the query protocol, and for the rest of the local cloud. */
export class Sns implements Service {
  readonly scopes = ['sns'];
  readonly resources: readonly ResourceType[];
  readonly #cloud: Cloud;
  readonly #topics = new Map<string, Topic>();
  readonly #deliveries: Deliveries;
  readonly #active = new Set<Promise<unknown>>();

  constructor(cloud: Cloud, queues: QueueSender) {
    this.#cloud = cloud;
    this.resources = topicResources(cloud, this.#topics);
    this.#deliveries = new Deliveries(cloud, queues);
  }

  /** Takes up deliveries that an earlier process left; to be called when everything is deployed. */
  start(): void {
    this.#deliveries.start();
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    const requestId = randomUUID();
    const ResponseMetadata = { RequestId: requestId };
    try {
      const form = await readPublish(request.body);
      if (form.action !== 'Publish') {
        this.#cloud.record({
          service: 'sns',
          action: form.action,
          by: callerName(request.caller),
          error: 'NotImplemented',
        });
        throw new AwsError('NotImplemented', `The local SNS has no ${form.action}.`, { status: 501 });
      }
      const { messageId } = await this.publish({ ...form, caller: request.caller });
      const PublishResult = { MessageId: messageId };
      return xml(200, xmlElement('PublishResponse', { PublishResult, ResponseMetadata }, namespace));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const Type = error.status >= 500 ? 'Receiver' : 'Sender';
      const Error = { Type, Code: error.code, Message: error.message };
      return xml(error.status, xmlElement('ErrorResponse', { Error, RequestId: requestId }, namespace));
    }
  }

  /** When this returns, each subscribed queue has the message or the retry store has it for the queue. */
  async publish(request: PublishRequest): Promise<{ messageId: string }> {
    const call = { service: 'sns', action: 'Publish', by: callerName(request.caller) };
    const publishing = this.#publish(request);
    this.#active.add(publishing);
    try {
      const answer = await publishing;
      this.#cloud.record(call);
      return answer;
    } catch (error) {
      this.#cloud.record({ ...call, error: error instanceof AwsError ? error.code : 'InternalError' });
      throw error;
    } finally {
      this.#active.delete(publishing);
    }
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#active);
    await this.#deliveries.stop();
  }

  async #publish(request: PublishRequest): Promise<{ messageId: string }> {
    const { caller, topicArn, message, subject, messageAttributes: attributes = {} } = request;
    const topic = this.#topics.get(topicArn);
    if (topic === undefined) throw new AwsError('NotFound', 'Topic does not exist', { status: 404 });
    this.#cloud.authorize({
      caller,
      action: 'sns:Publish',
      resource: topicArn,
      context: { 'aws:SecureTransport': 'true' },
      resourcePolicy: topic.policy,
    });
    checkMessage(message, subject, attributes);
    const published = this.#cloud.clock.now();
    const notice: Notice = { messageId: randomUUID(), topicArn, message, subject, attributes, published };
    for (const { arn, queueArn, raw, deadLetterArn } of topic.subscriptions) {
      const body = raw ? message : envelope(notice, this.#cloud.region, arn);
      await this.#deliveries.accept({
        topicArn,
        queueArn,
        deadLetterArn,
        body,
        attributes: raw ? attributes : {},
      });
    }
    return { messageId: notice.messageId };
  }
}

function checkMessage(
  message: string,
  subject: string | undefined,
  attributes: Record<string, NoticeAttribute>,
): void {
  const invalid = (what: string) => new AwsError('InvalidParameter', `Invalid parameter: ${what}`);
  if (message === '') throw invalid('Empty message');
  const size = Object.entries(attributes).reduce(
    (sum, [name, { type, value }]) => sum + Buffer.byteLength(name + type + value),
    Buffer.byteLength(message),
  );
  if (size > maxMessage) throw invalid('Message too long');
  // ASCII, no control characters, not beginning with a space.
  if (subject !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,99}$/.test(subject)) throw invalid('Subject');
}

const xml = (status: number, body: string): ServiceResponse => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<?xml version="1.0"?>\n${body}`,
});
