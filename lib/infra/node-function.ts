import { join } from 'node:path';
import { type Duration, RemovalPolicy, Stack, Stage, Validations } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, type CfnFunction, Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { bundle, type Entries, projectRoot } from './bundle.ts';
import type { Config } from './config.ts';

/** Context key: with `off` functions are not bundled, and their asset is the source folder. */
export const bundleContext = 'posthorn:bundle';
/** Metadata of a function: the TypeScript entry it is built from, relative to the project. */
export const entryMetadata = 'posthorn:entry';

export interface NodeFunctionProps<Env> {
  config: Pick<Config, 'logRetentionDays' | 'removalPolicy'>;
  /** Typed by the function's own env.ts: a missing or stray variable does not compile. */
  environment: Env;
  description: string;
  /** What a user loses while this function fails; it stands in the alarm. */
  errorImpact: string;
  /** MB; CPU grows with it, one core at 1,769. */
  memory: number;
  timeout: Duration;
  /** Files beside index.mjs that the handler starts by itself, as processes or threads: file name without `.mjs` → entry. */
  workers?: Entries;
}

export interface Grant {
  actions: string[];
  on: string[];
  conditions?: Record<string, Record<string, string | string[]>>;
  /** Why an ARN with a `*` in it is as narrow as it can be. */
  because?: string;
}

/** A function from `lambdas/<id>/handler.ts`, with a role and a log group of its own. */
export class NodeFunction<Env extends { [K in keyof Env]: string }> extends Construct {
  readonly function: Function;
  readonly errorImpact: string;
  readonly #role: Role;

  constructor(scope: Construct, id: string, props: NodeFunctionProps<Env>) {
    super(scope, id);
    const { config, environment, description, memory, timeout } = props;
    this.errorImpact = props.errorImpact;
    const logGroup = new LogGroup(this, 'logs', {
      retention: config.logRetentionDays,
      removalPolicy: removal(config),
    });
    this.#role = new Role(this, 'role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description,
    });
    this.allow({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], on: [logGroup.logGroupArn] });
    const entry = `lambdas/${id}/handler.ts`;
    this.function = new Function(this, 'function', {
      description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: this.#code(id, { index: entry, ...props.workers }),
      environment: environment,
      memorySize: memory,
      timeout,
      role: this.#role,
      logGroup,
    });
    (this.function.node.defaultChild as CfnFunction).addMetadata(entryMetadata, entry);
  }

  get role(): Role {
    return this.#role;
  }

  /** Lets the function's role do this and no more. */
  allow({ actions, on, conditions, because }: Grant): void {
    this.#role.addToPrincipalPolicy(
      new PolicyStatement({ actions, resources: on, ...(conditions && { conditions }) }),
    );
    for (const arn of on
      .map((resource) => flat(Stack.of(this).resolve(resource)))
      .filter((a) => a.includes('*'))) {
      if (because === undefined)
        throw new Error(`${this.node.path}: say why ${actions.join(', ')} is granted on ${arn}`);
      Validations.of(this).acknowledge({ id: `AwsSolutions-IAM5[Resource::${arn}]`, reason: because });
    }
  }

  /** Lets an event source mapping read a queue for the function. */
  takesFrom(queue: Queue): void {
    const actions = ['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes'];
    this.allow({ actions: actions.map((action) => `sqs:${action}`), on: [queue.queueArn] });
  }

  /** Lets an event source mapping read the stream of a table for the function, and leave what it fails at in a queue. */
  readsStream({ tableArn, tableStreamArn }: TableV2, deadLetters: Queue): void {
    const actions = ['DescribeStream', 'GetRecords', 'GetShardIterator'];
    this.allow({ actions: actions.map((action) => `dynamodb:${action}`), on: [tableStreamArn!] });
    this.allow({
      actions: ['dynamodb:ListStreams'],
      on: [`${tableArn}/stream/*`],
      because: 'Listing is asked for the streams of a table, not for one stream.',
    });
    this.allow({ actions: ['sqs:SendMessage'], on: [deadLetters.queueArn] });
    Validations.of(deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason:
        'It is a dead-letter queue; cdk-nag knows only those of queues, not those of event source mappings.',
    });
  }

  /** Keeps the function's role from this, whatever else it is allowed. */
  deny(actions: string[], on: string[], conditions?: Grant['conditions']): void {
    this.#role.addToPrincipalPolicy(
      new PolicyStatement({ effect: Effect.DENY, actions, resources: on, ...(conditions && { conditions }) }),
    );
  }

  #code(id: string, entries: Entries): Code {
    if (this.node.tryGetContext(bundleContext) === 'off')
      return Code.fromAsset(join(projectRoot, 'lambdas', id));
    const folder = join(Stage.of(this)!.outdir, 'bundles', id);
    bundle(entries, folder);
    return Code.fromAsset(folder);
  }
}

/** What happens to data when it leaves the stack. */
export function removal(config: Pick<Config, 'removalPolicy'>): RemovalPolicy {
  return config.removalPolicy === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
}

/** An ARN as cdk-nag writes it in its findings: references in angle brackets. */
function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[name, argument] = ['', undefined]] = Object.entries(value as Record<string, unknown>);
  if (name === 'Ref') return `<${String(argument)}>`;
  if (name === 'Fn::GetAtt') return `<${(argument as string[]).join('.')}>`;
  if (name === 'Fn::Join')
    return (argument as [string, unknown[]])[1].map(flat).join((argument as [string])[0]);
  throw new Error(`an ARN made with ${name} is not known here`);
}
