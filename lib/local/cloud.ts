import type { Readable } from 'node:stream';
import type * as z from 'zod';
import type { Clock } from './clock.ts';
import type { Weather } from './weather.ts';

/** Who makes a call: a function's role, an AWS service on its behalf, the operator, or nobody. */
export type Caller =
  | RoleCaller
  | { kind: 'service'; service: string; sourceArn?: string; sourceAccount?: string }
  | { kind: 'operator'; arn: string; accessKeyId: string }
  | { kind: 'anonymous' };

/** A session of a role. */
export interface RoleCaller {
  kind: 'role';
  roleArn: string;
  /** The session's own ARN. */
  arn: string;
  accessKeyId: string;
  /** The function whose instance this is, or assumed the role. */
  functionName?: string;
  /** Session tags, as STS was given them. */
  tags?: Record<string, string>;
  /** The key of the function's instance that assumed the role: a call counts only while that instance runs. */
  instanceKey?: string;
}

export interface PolicyDocument {
  Version?: string;
  Statement: PolicyStatement | PolicyStatement[];
}
export interface PolicyStatement {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Principal?: '*' | Record<string, string | string[]>;
  Action?: string | string[];
  NotAction?: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Condition?: Record<string, Record<string, string | string[] | boolean>>;
}

/** One question to IAM. */
export interface Access {
  caller: Caller;
  /** As in a policy: `dynamodb:PutItem`. */
  action: string;
  resource: string;
  /** Condition keys of this call, such as `dynamodb:LeadingKeys` or `s3:prefix`. */
  context?: Record<string, string | string[]>;
  /** The policy on the resource; `undefined` where the resource has none or its type takes none. */
  resourcePolicy?: PolicyDocument | undefined;
  /** Asked only to know what to show: a no is neither kept nor printed. */
  quiet?: boolean;
  /** A role's trust policy has to speak for the caller: the caller's own grants count only where it names the account. */
  trustNeeded?: boolean;
}

/** One call that AWS would count, as the bench and the tests read it. */
export interface Call {
  service: string;
  action: string;
  /** Name of the function that called, or the service or operator. */
  by: string;
  /** Read and write request units, where the service bills by them. */
  readUnits?: number;
  writeUnits?: number;
  error?: string;
}

/** What every service of the local cloud is given. */
export interface Cloud {
  readonly account: string;
  readonly region: string;
  /** Folder that survives restarts; each service keeps its own sub-folder. */
  readonly home: string;
  /** Acknowledged data survives a power loss too (fsync), not only the end of the process. */
  readonly durable: boolean;
  readonly clock: Clock;
  readonly weather: Weather;
  /** Returns when IAM allows the call; throws AwsError 'AccessDenied' (403) and prints the missing grant when not. */
  authorize(access: Access): void;
  /** Notes a call for the bench and the tests. */
  record(call: Call): void;
  /** One line for the person at the terminal. */
  print(line: string): void;
}

/** A request at the one AWS endpoint, its signature already checked. */
export interface ServiceRequest {
  method: string;
  /** As sent, still percent-encoded, without query. */
  path: string;
  query: URLSearchParams;
  /** Lower-case names. */
  headers: Record<string, string>;
  body: Readable;
  caller: Caller;
}
export interface ServiceResponse {
  status: number;
  headers?: Record<string, string>;
  body?: string | Buffer | Readable;
}

/** A service of the local cloud: what it answers over HTTP, and the resource types it can deploy. */
export interface Service {
  /** Names in the SigV4 credential scope, such as `dynamodb`. */
  readonly scopes: readonly string[];
  handle(request: ServiceRequest): Promise<ServiceResponse>;
  readonly resources: readonly ResourceType[];
  /** Finishes what is in hand and closes files. */
  stop(): Promise<void>;
}

/** One CloudFormation resource type the local cloud knows. */
export interface ResourceType<Properties = any> {
  readonly type: string;
  /** Strict at every depth: a property that is not named stops start-up. `ignored()` names those without effect here. */
  readonly properties: z.ZodType<Properties>;
  deploy(resource: Resource<Properties>): Promise<Deployed> | Deployed;
}
export interface Resource<Properties = any> {
  logicalId: string;
  /** The name CloudFormation would give where the template gives none: stable for a home. */
  physicalName: string;
  properties: Properties;
  metadata: Record<string, unknown>;
}
export interface Deployed {
  /** What `Ref` answers. */
  ref: string;
  /** What `Fn::GetAtt` answers, by attribute name. */
  attributes?: Record<string, unknown>;
}
