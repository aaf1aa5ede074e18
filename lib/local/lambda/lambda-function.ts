import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Cloud } from '../cloud.ts';
import { environmentOf } from './environment.ts';
import type { RoleKeys } from './environment.ts';
import type { FunctionCode } from './function-code.ts';
import type { FunctionProperties } from './function-properties.ts';
import { exited, Instance } from './instance/instance.ts';
import type { Outcome } from './instance/instance.ts';
import type { FunctionError } from './instance/messages.ts';
import { InstancePool } from './instance/instance-pool.ts';
import { limits } from './limits.ts';
import { LogRing } from './log-ring.ts';

/** What a function needs from the house around it. */
export interface FunctionSurroundings {
  cloud: Cloud;
  issueKeys(roleArn: string, functionName: string): RoleKeys | Promise<RoleKeys>;
  endpointUrl(): string;
  dnsPort(): number | undefined;
  maxInstances: number;
  verbose: boolean;
  /** Told of every instance when it starts, so that its key can be known. */
  started(instance: Instance): void;
}

/** One deployed function: its configuration, its instances and what they wrote. */
export class LambdaFunction {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  /** Seconds. */
  readonly timeout: number;
  readonly logs = new LogRing();
  readonly #properties: FunctionProperties;
  readonly #code: FunctionCode;
  readonly #around: FunctionSurroundings;
  readonly #pool: InstancePool;
  #stopped = false;
  #running = 0;

  constructor(
    name: string,
    properties: FunctionProperties,
    code: FunctionCode,
    around: FunctionSurroundings,
  ) {
    this.name = name;
    this.arn = `arn:aws:lambda:${around.cloud.region}:${around.cloud.account}:function:${name}`;
    this.roleArn = properties.Role;
    this.timeout = properties.Timeout;
    this.#properties = properties;
    this.#code = code;
    this.#around = around;
    this.#pool = new InstancePool(
      () => this.#launch(),
      around.maxInstances,
      () => around.cloud.weather.strikes('another-instance'),
    );
  }

  /** Events that are at work or wait for an instance. */
  get running(): number {
    return this.#running;
  }

  /** Runs one event (JSON text) on an instance. Never rejects. */
  async run(payload: string, requestId: string): Promise<Outcome> {
    this.#running++;
    const outcome = withinLimit(await this.#attempt(payload, requestId));
    this.#running--;
    // What ends with the cloud is no failure of the function.
    if (!outcome.ok && !this.#stopped) this.#report(outcome.error);
    return outcome;
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#pool.stop();
  }

  async #attempt(payload: string, requestId: string): Promise<Outcome> {
    try {
      return await this.#pool.use(async (instance) => {
        const outcome = await instance.run({ requestId, payload, timeout: this.timeout * 1000 });
        if (!this.#around.cloud.weather.strikes('instance-death')) return outcome;
        await instance.end();
        return { ok: false, error: exited(requestId, 'Runtime exited with error: signal: killed') };
      });
    } catch (error) {
      // No instance could be had: its role is gone, or the cloud goes down.
      return { ok: false, error: exited(requestId, (error as Error).message) };
    }
  }

  #report({ errorType: type, errorMessage: message, trace = [] }: FunctionError): void {
    this.logs.add(`ERROR ${type}: ${message}`);
    for (const line of trace.slice(1)) this.logs.add(line);
    const place = trace.find((line) => line.trimStart().startsWith('at '))?.trim();
    this.#around.cloud.print(
      `${this.name} failed: ${type}: ${message}${place === undefined ? '' : ` ${place}`}`,
    );
  }

  #log(line: string): void {
    this.logs.add(line);
    // What went wrong in a function is for the person at the terminal, whose request id is all the caller was told.
    if (this.#around.verbose || line.includes('"level":"error"'))
      this.#around.cloud.print(`${this.name}: ${line}`);
  }

  async #launch(): Promise<Instance> {
    const { cloud, endpointUrl, dnsPort } = this.#around;
    const keys = await this.#around.issueKeys(this.roleArn, this.name);
    const id = randomUUID();
    const tmp = join(cloud.home, 'lambda', 'tmp', this.name, id);
    const logGroup = this.#properties.LoggingConfig?.LogGroup ?? `/aws/lambda/${this.name}`;
    const day = new Date(cloud.clock.now()).toISOString().slice(0, 10).replaceAll('-', '/');
    const logStream = `${day}/[$LATEST]${randomBytes(16).toString('hex')}`;
    const { MemorySize: memorySize, Handler: handler, Environment } = this.#properties;
    const { module, exportName, taskRoot } = this.#code;
    const instance = new Instance({
      data: {
        module,
        exportName,
        functionName: this.name,
        functionArn: this.arn,
        memorySize,
        logGroup,
        logStream,
      },
      env: environmentOf({
        variables: Environment?.Variables ?? {},
        region: cloud.region,
        functionName: this.name,
        ...{ handler, memorySize, logGroup, logStream, taskRoot, tmp, keys },
        endpoint: endpointUrl(),
      }),
      surroundings: { clock: cloud.clock.shared, dnsPort: dnsPort() },
      accessKeyId: keys.accessKeyId,
      tmp,
      log: (line) => this.#log(line),
    });
    this.#around.started(instance);
    return instance;
  }
}

function withinLimit(outcome: Outcome): Outcome {
  if (!outcome.ok || Buffer.byteLength(outcome.payload) <= limits.response) return outcome;
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${limits.response} bytes).`;
  return { ok: false, error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage } };
}
