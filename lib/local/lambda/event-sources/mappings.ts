import { AwsError } from '../../aws-error.ts';
import type { Caller, Cloud } from '../../cloud.ts';
import { FailureDestination } from '../failure-destination.ts';
import type { Outcome } from '../instance/instance.ts';
import { demandGrants } from '../role-grants.ts';
import type { SqsSource } from '../sqs-source.ts';
import type { StreamSource } from '../stream-source.ts';
import type { Checkpoints } from './checkpoints.ts';
import { checkMapping } from './mapping-properties.ts';
import type { MappingProperties } from './mapping-properties.ts';
import { SqsMapping } from './sqs-mapping.ts';
import { StreamMapping } from './stream-mapping.ts';

/** A source that feeds a function. */
export interface Mapping {
  start(): void;
  stop(): Promise<void>;
}

export interface MappingGiven {
  cloud: Cloud;
  id: string;
  properties: MappingProperties;
  functionArn: string;
  /** Seconds. */
  functionTimeout: number;
  /** The function's role. */
  caller: Caller;
  queues: SqsSource | undefined;
  streams: StreamSource | undefined;
  checkpoints: Checkpoints;
  run(event: unknown): Promise<Outcome>;
}

const queueActions = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'];
const streamActions = ['GetRecords', 'GetShardIterator', 'DescribeStream', 'ListStreams'];

/** Builds a mapping. Throws InvalidParameterValueException where AWS would not create it for want of a grant. */
export async function createMapping(given: MappingGiven): Promise<Mapping> {
  const { cloud, caller, properties, queues, streams } = given;
  checkMapping(properties);
  const source = properties.EventSourceArn;
  const destination = properties.DestinationConfig?.OnFailure?.Destination;
  if (destination !== undefined) demandGrants(cloud, caller, 'sqs', ['SendMessage'], destination);
  const onFailure =
    destination === undefined ? undefined : new FailureDestination(cloud, queues, caller, destination);
  if (source.startsWith('arn:aws:sqs:')) {
    if (queues === undefined) throw new Error(`there are no queues to read ${source} from`);
    demandGrants(cloud, caller, 'sqs', queueActions, source);
    const { visibilityMs } = await queues.settings({ caller, queueArn: source });
    checkVisibility(visibilityMs / 1000, given.functionTimeout);
    return new SqsMapping({ ...given, queues });
  }
  if (streams === undefined) throw new Error(`there are no streams to read ${source} from`);
  demandGrants(cloud, caller, 'dynamodb', streamActions, source);
  return new StreamMapping({ ...given, streams, onFailure });
}

/** A message that came back while it is still being handled would be handled twice. */
function checkVisibility(visibility: number, timeout: number): void {
  if (visibility >= timeout) return;
  const message = `Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeout} seconds`;
  throw new AwsError('InvalidParameterValueException', message);
}
