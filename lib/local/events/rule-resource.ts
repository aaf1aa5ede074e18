import * as z from 'zod';
import type { Cloud, PolicyDocument, PolicyStatement, ResourceType } from '../cloud.ts';
import { enforceablePolicy } from '../iam/enforceable-policy.ts';
import { ignored } from '../ignored.ts';
import { compilePattern } from './pattern.ts';
import type { Pattern } from './pattern.ts';
import { readSchedule } from './schedule.ts';
import type { Schedule } from './schedule.ts';
import { pathSteps } from './target-input.ts';
import type { InputSettings } from './target-input.ts';

/** A bus and who may put events on it. */
export interface Bus {
  name: string;
  arn: string;
  policy: PolicyDocument | undefined;
}
export interface Target {
  arn: string;
  input: InputSettings;
  deadLetterArn: string | undefined;
  maxAttempts: number;
  /** Milliseconds. */
  maxAge: number;
  groupId: string | undefined;
}
export interface Rule {
  arn: string;
  bus: string;
  enabled: boolean;
  pattern: Pattern | undefined;
  schedule: Schedule | undefined;
  targets: Target[];
}

const target = z.strictObject({
  Arn: z.string().regex(/^arn:aws:(sqs|lambda):/, 'only queues and functions are targets here'),
  Id: z.string().regex(/^[\w.-]{1,64}$/),
  Input: z.string().max(8192).optional(),
  InputPath: z.string().max(256).optional(),
  InputTransformer: z
    .strictObject({
      InputPathsMap: z.record(z.string(), z.string()).optional(),
      InputTemplate: z.string().max(8192),
    })
    .optional(),
  DeadLetterConfig: z.strictObject({ Arn: z.string() }).optional(),
  RetryPolicy: z
    .strictObject({
      MaximumEventAgeInSeconds: z.coerce.number().int().min(60).max(86_400).optional(),
      MaximumRetryAttempts: z.coerce.number().int().min(0).max(185).optional(),
    })
    .optional(),
  SqsParameters: z.strictObject({ MessageGroupId: z.string() }).optional(),
});

const ruleProperties = z.strictObject({
  Name: z.string().optional(),
  Description: ignored('a description has no effect'),
  EventBusName: z.string().optional(),
  EventPattern: z.record(z.string(), z.unknown()).optional(),
  ScheduleExpression: z.string().optional(),
  State: z.enum(['ENABLED', 'DISABLED']).optional(),
  Targets: z.array(target).max(5).optional(),
  Tags: ignored('tags of a rule have no effect'),
});
const busProperties = z.strictObject({
  Name: z.string().regex(/^[\w./-]{1,256}$/),
  Description: ignored('a description has no effect'),
  Policy: enforceablePolicy.optional(),
  LogConfig: ignored('deliveries that fail are printed at the terminal'),
  Tags: ignored('tags of a bus have no effect'),
});
const busPolicyProperties = z.strictObject({
  EventBusName: z.string().optional(),
  StatementId: z.string(),
  Statement: z.record(z.string(), z.unknown()),
});

/** What the resource types need of the service. */
export interface Registry {
  cloud: Cloud;
  buses: Map<string, Bus>;
  addRule(rule: Rule): void;
}

export const busArn = ({ region, account }: Cloud, name: string) =>
  `arn:aws:events:${region}:${account}:event-bus/${name}`;
/** The name in an ARN or name; no name is the default bus. */
export const busName = (nameOrArn: string | undefined) =>
  (nameOrArn ?? 'default').replace(/^arn:.*:event-bus\//, '');

/** `AWS::Events::Rule`, `::EventBus` and `::EventBusPolicy`. */
export function eventResources(registry: Registry): ResourceType[] {
  const { cloud, buses } = registry;
  const busType: ResourceType<z.infer<typeof busProperties>> = {
    type: 'AWS::Events::EventBus',
    properties: busProperties,
    deploy({ properties: { Name: name, Policy: policy } }) {
      const arn = busArn(cloud, name);
      buses.set(name, { name, arn, policy: policy });
      return { ref: name, attributes: { Arn: arn, Name: name } };
    },
  };
  const busPolicyType: ResourceType<z.infer<typeof busPolicyProperties>> = {
    type: 'AWS::Events::EventBusPolicy',
    properties: busPolicyProperties,
    deploy({ logicalId, properties }) {
      const bus = deployedBus(buses, logicalId, properties.EventBusName);
      const statement = {
        ...properties.Statement,
        Sid: properties.StatementId,
      } as unknown as PolicyStatement;
      bus.policy = { Statement: [...[bus.policy?.Statement ?? []].flat(), statement] };
      return { ref: properties.StatementId };
    },
  };
  return [busType, busPolicyType, ruleType(registry)];
}

function deployedBus(buses: Map<string, Bus>, logicalId: string, nameOrArn: string | undefined): Bus {
  const bus = buses.get(busName(nameOrArn));
  if (bus === undefined) throw new Error(`${logicalId}: there is no event bus ${nameOrArn}`);
  return bus;
}

function ruleType(registry: Registry): ResourceType<z.infer<typeof ruleProperties>> {
  const { cloud, buses } = registry;
  return {
    type: 'AWS::Events::Rule',
    properties: ruleProperties,
    deploy({ logicalId, physicalName, properties }) {
      const bus = deployedBus(buses, logicalId, properties.EventBusName);
      const { EventPattern: pattern, ScheduleExpression: schedule } = properties;
      if (pattern === undefined && schedule === undefined) {
        throw new Error(`${logicalId}: a rule needs an EventPattern or a ScheduleExpression`);
      }
      if (schedule !== undefined && bus.name !== 'default') {
        throw new Error(`${logicalId}: ScheduleExpression is supported only on the default event bus`);
      }
      const name = properties.Name ?? physicalName;
      const path = bus.name === 'default' ? name : `${bus.name}/${name}`;
      const arn = `arn:aws:events:${cloud.region}:${cloud.account}:rule/${path}`;
      registry.addRule({
        arn,
        bus: bus.name,
        enabled: properties.State !== 'DISABLED',
        pattern: pattern && compilePattern(pattern),
        schedule: schedule === undefined ? undefined : readSchedule(schedule, cloud.clock.now()),
        targets: (properties.Targets ?? []).map((each) => readTarget(logicalId, each)),
      });
      return { ref: bus.name === 'default' ? name : `${bus.name}|${name}`, attributes: { Arn: arn } };
    },
  };
}

function readTarget(logicalId: string, properties: z.infer<typeof target>): Target {
  const {
    Arn: arn,
    Input: input,
    InputPath: path,
    InputTransformer: transformer,
    RetryPolicy: retry,
  } = properties;
  if ([input, path, transformer].filter((each) => each !== undefined).length > 1) {
    throw new Error(`${logicalId}: a target has one of Input, InputPath and InputTransformer`);
  }
  if (input !== undefined) JSON.parse(input);
  for (const each of [path ?? '$', ...Object.values(transformer?.InputPathsMap ?? {})]) pathSteps(each);
  const paths = transformer?.InputPathsMap ?? {};
  return {
    arn,
    input: { input, path, transformer: transformer && { paths, template: transformer.InputTemplate } },
    deadLetterArn: properties.DeadLetterConfig?.Arn,
    maxAttempts: retry?.MaximumRetryAttempts ?? 185,
    maxAge: (retry?.MaximumEventAgeInSeconds ?? 86_400) * 1000,
    groupId: properties.SqsParameters?.MessageGroupId,
  };
}
