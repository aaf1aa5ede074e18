import { randomUUID } from 'node:crypto';
import { AwsError } from '../aws-error.ts';
import { callerName } from '../caller-name.ts';
import type { Caller, Cloud, ResourceType, Service, ServiceRequest, ServiceResponse } from '../cloud.ts';
import type { Delivery } from './delivery-store.ts';
import { Dispatcher } from './dispatcher.ts';
import type { EventTargets, QueueSender } from './dispatcher.ts';
import { readEntries, readEntry } from './put-events.ts';
import type { AcceptedEvent } from './put-events.ts';
import { busArn, eventResources } from './rule-resource.ts';
import type { Bus, Rule } from './rule-resource.ts';
import { targetInput } from './target-input.ts';

/** 1 MB of entries with their JSON escapes. */
const maxBody = 8 * 1024 * 1024;

/** An event of an AWS service, which goes on the default bus without asking anyone. */
export interface ServiceEvent {
  /** Such as `aws.ses`. */
  source: string;
  detailType: string;
  detail: unknown;
  resources?: string[];
}

/** EventBridge: buses, rules by pattern and by schedule, and deliveries that are kept until they arrive. */
export class Events implements Service {
  readonly scopes = ['events'];
  readonly resources: readonly ResourceType[];
  readonly #cloud: Cloud;
  readonly #buses = new Map<string, Bus>();
  readonly #rules = new Map<string, Rule>();
  readonly #timers = new Map<string, () => void>();
  readonly #dispatcher: Dispatcher;
  #started = false;

  constructor(cloud: Cloud, queues: QueueSender, targets: EventTargets) {
    this.#cloud = cloud;
    this.#dispatcher = new Dispatcher(cloud, queues, targets);
    this.#buses.set('default', { name: 'default', arn: busArn(cloud, 'default'), policy: undefined });
    this.resources = eventResources({ cloud, buses: this.#buses, addRule: (rule) => this.#addRule(rule) });
  }

  /** Starts schedules and deliveries, first those an earlier process left; to be called when everything is deployed. */
  start(): void {
    this.#started = true;
    for (const rule of this.#rules.values()) this.#arm(rule, this.#cloud.clock.now());
    this.#dispatcher.start();
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    const name =
      /^AWSEvents\.(\w+)$/.exec(request.headers['x-amz-target'] ?? '')?.[1] ?? 'an unnamed operation';
    const call = { service: 'events', action: name, by: callerName(request.caller) };
    try {
      const input = await readJson(request);
      if (name !== 'PutEvents') {
        throw new AwsError('NotImplemented', `The local EventBridge has no ${name}.`, { status: 501 });
      }
      const output = this.#putEvents(request.caller, input);
      this.#cloud.record(call);
      return json(200, output);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      this.#cloud.record({ ...call, error: error.code });
      const denied = error.code === 'AccessDenied';
      const type = denied ? 'AccessDeniedException' : error.code;
      return json(denied ? 400 : error.status, { __type: type, message: error.message });
    }
  }

  /** Puts a service's event on the default bus; its deliveries are safe on return. Answers the event's id. */
  emit(event: ServiceEvent): string {
    return this.#put({ bus: 'default', time: undefined, resources: [], ...event });
  }

  async stop(): Promise<void> {
    this.#started = false;
    for (const cancel of this.#timers.values()) cancel();
    await this.#dispatcher.stop();
  }

  #putEvents(caller: Caller, input: unknown): object {
    const { weather } = this.#cloud;
    const read = readEntries(input).map((entry) => readEntry(this.#cloud, this.#buses, caller, entry));
    const Entries = read.map((each) => {
      if ('ErrorCode' in each) return each;
      if (weather.strikes('partial-batch'))
        return { ErrorCode: 'InternalFailure', ErrorMessage: 'Please try again.' };
      return { EventId: this.#put(each) };
    });
    return { FailedEntryCount: Entries.filter((each) => 'ErrorCode' in each).length, Entries };
  }

  #put(event: AcceptedEvent): string {
    const id = randomUUID();
    const document = this.#document(id, event);
    const matched = [...this.#rules.values()].filter((rule) => {
      return rule.enabled && rule.bus === event.bus && rule.pattern?.(document) === true;
    });
    this.#dispatcher.accept(matched.flatMap((rule) => this.#deliveries(rule, document)));
    return id;
  }

  #document(
    id: string,
    { source, detailType, detail, resources, time }: AcceptedEvent,
  ): Record<string, unknown> {
    const { account, region, clock } = this.#cloud;
    // Whole seconds, as EventBridge writes them.
    const written = new Date(time ?? clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    return {
      version: '0',
      id,
      'detail-type': detailType,
      source,
      account,
      time: written,
      region,
      resources,
      detail,
    };
  }

  #deliveries(rule: Rule, document: Record<string, unknown>): Delivery[] {
    return rule.targets.map((target) => ({
      ruleArn: rule.arn,
      targetArn: target.arn,
      input: targetInput(target.input, document, rule.arn),
      groupId: target.groupId,
      deadLetterArn: target.deadLetterArn,
      maxAttempts: target.maxAttempts,
      deadline: this.#cloud.clock.now() + target.maxAge,
    }));
  }

  #addRule(rule: Rule): void {
    this.#rules.set(rule.arn, rule);
    if (this.#started) this.#arm(rule, this.#cloud.clock.now());
  }

  /** Waits for the next time after `from`. Of the times that an advanced clock or a sleeping machine jumps, one comes. */
  #arm(rule: Rule, from: number): void {
    this.#timers.get(rule.arn)?.();
    const due = rule.enabled ? rule.schedule?.(from) : undefined;
    if (due === undefined) return;
    const cancel = this.#cloud.clock.after(due - this.#cloud.clock.now(), () => {
      this.#arm(rule, Math.max(due, this.#cloud.clock.heading()));
      this.#fire(rule, due);
    });
    this.#timers.set(rule.arn, cancel);
  }

  #fire(rule: Rule, due: number): void {
    const resources = [rule.arn];
    const event = {
      bus: 'default',
      source: 'aws.events',
      detailType: 'Scheduled Event',
      detail: {},
      resources,
    };
    const document = this.#document(randomUUID(), { ...event, time: due });
    this.#dispatcher.accept(this.#deliveries(rule, document));
  }
}

async function readJson(request: ServiceRequest): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody)
      throw new AwsError('RequestEntityTooLarge', 'The request is too long.', { status: 413 });
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    throw new AwsError('SerializationException', 'The request is not JSON.');
  }
}

const json = (status: number, value: unknown): ServiceResponse => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(value),
});
