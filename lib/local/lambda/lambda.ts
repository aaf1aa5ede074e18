import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import { callerName } from '../caller-name.ts';
import type { Caller, Cloud, Deployed, Resource, ResourceType } from '../cloud.ts';
import type { Service, ServiceRequest, ServiceResponse } from '../cloud.ts';
import { openDatabase } from '../open-database.ts';
import { AsyncEvents, eventInvokeConfigProperties, usualPolicy } from './async-events.ts';
import type { AsyncPolicy, EventInvokeConfig } from './async-events.ts';
import { checkVariables } from './environment.ts';
import { Checkpoints } from './event-sources/checkpoints.ts';
import { mappingProperties } from './event-sources/mapping-properties.ts';
import type { MappingProperties } from './event-sources/mapping-properties.ts';
import { createMapping } from './event-sources/mappings.ts';
import type { Mapping } from './event-sources/mappings.ts';
import { FailureDestination } from './failure-destination.ts';
import { findCode } from './function-code.ts';
import { functionNameOf } from './function-name.ts';
import { functionProperties } from './function-properties.ts';
import type { FunctionProperties } from './function-properties.ts';
import type { Outcome } from './instance/instance.ts';
import { InstanceKeys } from './instance/instance-keys.ts';
import { answerInvoke } from './invoke-http.ts';
import { LambdaFunction } from './lambda-function.ts';
import type { InvokeResult, LambdaOptions, StrayCall } from './lambda-options.ts';
import { checkRequestSize } from './limits.ts';
import { demandGrants } from './role-grants.ts';
import { permissionProperties, Permissions } from './permissions.ts';
import type { PermissionProperties } from './permissions.ts';

/** AWS Lambda: functions in threads, resource policies, asynchronous events and event source mappings. */
export class Lambda implements Service {
  readonly scopes = ['lambda'];
  readonly resources: readonly ResourceType[];
  /** Every call that a frozen instance would not have made; tests expect none. */
  readonly strayCalls: StrayCall[] = [];
  readonly #options: LambdaOptions;
  readonly #cloud: Cloud;
  readonly #database: DatabaseSync;
  readonly #functions = new Map<string, LambdaFunction>();
  readonly #permissions = new Permissions();
  readonly #policies = new Map<string, AsyncPolicy>();
  readonly #mappings: Mapping[] = [];
  readonly #keys: InstanceKeys;
  readonly #events: AsyncEvents;
  readonly #checkpoints: Checkpoints;
  #started = false;

  constructor(options: LambdaOptions) {
    this.#options = options;
    this.#cloud = options.cloud;
    this.#keys = new InstanceKeys((key) => options.retireKeys?.(key));
    // A function's zone is UTC, and threads have the zone of their process.
    process.env['TZ'] = 'UTC';
    rmSync(join(this.#cloud.home, 'lambda', 'tmp'), { recursive: true, force: true });
    this.#database = openDatabase(this.#cloud, 'lambda', `${AsyncEvents.schema}; ${Checkpoints.schema}`);
    this.#checkpoints = new Checkpoints(this.#database);
    this.#events = new AsyncEvents({
      cloud: this.#cloud,
      database: this.#database,
      run: (name, payload, requestId) => this.#function(name).run(payload, requestId),
      knows: (name) => this.#functions.has(name),
      arnOf: (name) => this.#function(name).arn,
      policyOf: (name) => this.#policies.get(name) ?? usualPolicy,
    });
    this.resources = [
      resource('Function', functionProperties, (one) => this.#deployFunction(one)),
      resource('Permission', permissionProperties, (one) => this.#permit(one)),
      resource('EventSourceMapping', mappingProperties, (one) => this.#map(one)),
      resource('EventInvokeConfig', eventInvokeConfigProperties, (one) => this.#configure(one)),
    ];
  }

  /** Begins to read event sources and waiting events; to be called when everything is deployed and listening. */
  start(): void {
    this.#started = true;
    this.#events.start();
    for (const mapping of this.#mappings) mapping.start();
  }

  handle(request: ServiceRequest): Promise<ServiceResponse> {
    return answerInvoke(this, request);
  }

  /**
   * Runs a function. Throws AccessDeniedException, ResourceNotFoundException or RequestTooLargeException; a failure
   * of the function itself is in the result.
   */
  async invoke(
    functionArn: string,
    event: unknown,
    caller: Caller,
    { type }: { type: 'sync' | 'event' } = { type: 'sync' },
  ): Promise<InvokeResult> {
    const target = this.#function(functionArn);
    const payload = JSON.stringify(event) ?? 'null';
    const by = callerName(caller);
    try {
      const resourcePolicy = this.#permissions.policyOf(target.arn);
      this.#cloud.authorize({
        caller,
        action: 'lambda:InvokeFunction',
        resource: target.arn,
        resourcePolicy,
      });
      checkRequestSize(payload, type);
    } catch (error) {
      this.#cloud.record({ service: 'lambda', action: 'Invoke', by, error: (error as Error).name });
      throw error;
    }
    this.#cloud.record({ service: 'lambda', action: 'Invoke', by });
    const requestId = randomUUID();
    if (type === 'event') {
      this.#events.accept(target.name, payload, requestId);
      return { status: 202, requestId };
    }
    const outcome = await target.run(payload, requestId);
    if (outcome.ok) return { status: 200, requestId, payload: outcome.payload };
    return { status: 200, requestId, payload: JSON.stringify(outcome.error), functionError: 'Unhandled' };
  }

  /** The function's last lines, oldest first. */
  logs(functionName: string): string[] {
    return this.#function(functionName).logs.lines();
  }

  /** Events that functions are at work on now. */
  get running(): number {
    return [...this.#functions.values()].reduce((sum, one) => sum + one.running, 0);
  }

  /** Whether the holder of a key may call now: false for an instance that answered or died, true for everyone else. */
  isActive(accessKeyId: string): boolean {
    return this.#keys.isActive(accessKeyId);
  }

  /** Notes a refused call of an instance that was not active. */
  reportStrayCall(call: StrayCall): void {
    this.strayCalls.push(call);
    const what = `${call.service} (${call.request})`;
    this.#cloud.print(
      `${call.functionName} called ${what} after its invocation had returned: await it before answering`,
    );
  }

  async stop(): Promise<void> {
    const draining = Promise.all([...this.#mappings.map((mapping) => mapping.stop()), this.#events.stop()]);
    const { promise: graceOver, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.grace ?? 2_000);
    await Promise.race([draining, graceOver]);
    clearTimeout(timer);
    await Promise.all([...this.#functions.values()].map((one) => one.stop()));
    await draining;
    this.#database.close();
  }

  #function(reference: string): LambdaFunction {
    const name = functionNameOf(reference);
    const found = this.#functions.get(name);
    if (found !== undefined) return found;
    const arn = `arn:aws:lambda:${this.#cloud.region}:${this.#cloud.account}:function:${name}`;
    throw new AwsError('ResourceNotFoundException', `Function not found: ${arn}`, { status: 404 });
  }

  /** The function's role, for what Lambda itself does with it. */
  async #roleOf(target: LambdaFunction): Promise<Caller> {
    const { accessKeyId } = await this.#options.issueKeys(target.roleArn, target.name);
    this.#options.retireKeys?.(accessKeyId);
    const role = target.roleArn.split('/').at(-1)!;
    const arn = `arn:aws:sts::${this.#cloud.account}:assumed-role/${role}/${target.name}`;
    return { kind: 'role', roleArn: target.roleArn, arn, accessKeyId, functionName: target.name };
  }

  async #deployFunction(resource: Resource<FunctionProperties>): Promise<Deployed> {
    const { properties, physicalName, metadata, logicalId } = resource;
    const name = properties.FunctionName ?? physicalName;
    try {
      checkVariables(properties.Environment?.Variables ?? {});
      const code = findCode(properties, metadata, this.#options.code);
      const target = new LambdaFunction(name, properties, code, {
        ...this.#options,
        maxInstances: this.#options.maxInstances ?? 10,
        verbose: this.#options.verbose ?? false,
        started: (instance) => this.#keys.add(instance),
      });
      // As on AWS, a role that Lambda may not assume is refused at once and not with the first event.
      await this.#roleOf(target);
      this.#functions.set(name, target);
      return { ref: name, attributes: { Arn: target.arn } };
    } catch (error) {
      throw new Error(`${logicalId}: ${(error as Error).message}`, { cause: error });
    }
  }

  #permit({ logicalId, properties }: Resource<PermissionProperties>): Deployed {
    this.#permissions.add(logicalId, this.#function(properties.FunctionName).arn, properties);
    return { ref: logicalId, attributes: { Id: logicalId } };
  }

  async #map({ logicalId, properties }: Resource<MappingProperties>): Promise<Deployed> {
    const target = this.#function(properties.FunctionName);
    const { queues, streams } = this.#options;
    try {
      const mapping = await createMapping({
        cloud: this.#cloud,
        id: logicalId,
        properties,
        functionArn: target.arn,
        functionTimeout: target.timeout,
        caller: await this.#roleOf(target),
        queues,
        streams,
        checkpoints: this.#checkpoints,
        run: (event) => {
          this.#cloud.record({ service: 'lambda', action: 'Invoke', by: logicalId });
          return runFrom(target, event);
        },
      });
      if (properties.Enabled) this.#mappings.push(mapping);
      if (properties.Enabled && this.#started) mapping.start();
    } catch (error) {
      throw new Error(`${logicalId}: ${(error as Error).message}`, { cause: error });
    }
    const arn = `arn:aws:lambda:${this.#cloud.region}:${this.#cloud.account}:event-source-mapping:${logicalId}`;
    return { ref: logicalId, attributes: { Id: logicalId, EventSourceMappingArn: arn } };
  }

  async #configure({ logicalId, properties }: Resource<EventInvokeConfig>): Promise<Deployed> {
    const target = this.#function(properties.FunctionName);
    const queueArn = properties.DestinationConfig?.OnFailure?.Destination;
    const caller = await this.#roleOf(target);
    if (queueArn !== undefined) demandGrants(this.#cloud, caller, 'sqs', ['SendMessage'], queueArn);
    const onFailure = queueArn && new FailureDestination(this.#cloud, this.#options.queues, caller, queueArn);
    this.#policies.set(target.name, {
      retries: properties.MaximumRetryAttempts,
      maxAge: properties.MaximumEventAgeInSeconds * 1000,
      ...(onFailure && { onFailure }),
    });
    return { ref: logicalId };
  }
}

function resource<P>(
  name: string,
  properties: z.ZodType<P>,
  deploy: ResourceType<P>['deploy'],
): ResourceType<P> {
  return { type: `AWS::Lambda::${name}`, properties, deploy };
}

async function runFrom(target: LambdaFunction, event: unknown): Promise<Outcome> {
  return target.run(JSON.stringify(event), randomUUID());
}
