import type { Cloud } from '../cloud.ts';
import type { RoleKeys } from './environment.ts';
import type { CodeRoots } from './function-code.ts';
import type { SqsSource } from './sqs-source.ts';
import type { StreamSource } from './stream-source.ts';

/** What Lambda is given by the house. */
export interface LambdaOptions {
  cloud: Cloud;
  /** Keys of a role for a function; throws when the role does not trust lambda.amazonaws.com. */
  issueKeys(roleArn: string, functionName: string): RoleKeys | Promise<RoleKeys>;
  /** Told of keys that nobody uses any more. */
  retireKeys?(accessKeyId: string): void;
  /** The one AWS endpoint; asked for when an instance starts. */
  endpointUrl(): string;
  /** Port of the DNS server on 127.0.0.1; `undefined` leaves the machine's resolver in place. */
  dnsPort(): number | undefined;
  code: CodeRoots;
  queues?: SqsSource | undefined;
  streams?: StreamSource | undefined;
  /** Instances of one function at most; further events wait for one. */
  maxInstances?: number;
  /** How long invocations in hand may take to finish when the cloud goes down (milliseconds; 2,000). */
  grace?: number;
  /** Prints every line a function writes, not only its failures. */
  verbose?: boolean;
}

export interface InvokeResult {
  status: 200 | 202;
  requestId: string;
  /** The handler's answer or its error, as JSON; absent for an event that was only accepted. */
  payload?: string;
  functionError?: 'Unhandled';
}

/** A call of the AWS SDK from an instance whose invocation was over. */
export interface StrayCall {
  functionName: string;
  service: string;
  /** Method and path, and the operation where the protocol names it. */
  request: string;
}
