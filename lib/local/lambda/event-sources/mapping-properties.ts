import * as z from 'zod';
import { ignored } from '../../ignored.ts';
import { destinationConfig } from '../failure-destination.ts';
import { recordFilter } from './record-filter.ts';

const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

const pattern = z
  .string()
  .max(4096)
  .transform((source, context) => {
    try {
      return recordFilter(source);
    } catch (error) {
      context.addIssue({ code: 'custom', message: `not a pattern: ${(error as Error).message}` });
      return z.NEVER;
    }
  });

/** AWS::Lambda::EventSourceMapping for a queue or a table's stream. */
export const mappingProperties = z.strictObject({
  EventSourceArn: z
    .string()
    .regex(/^arn:aws:(sqs|dynamodb):/, 'only SQS queues and DynamoDB streams are known here'),
  FunctionName: z.string(),
  Enabled: z.boolean().default(true),
  BatchSize: count(1, 10_000).optional(),
  MaximumBatchingWindowInSeconds: count(0, 300).default(0),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).max(1).default([]),
  FilterCriteria: z
    .strictObject({
      Filters: z
        .array(z.strictObject({ Pattern: pattern }))
        .max(5)
        .default([]),
    })
    .optional(),
  ScalingConfig: z.strictObject({ MaximumConcurrency: count(2, 1000) }).optional(),
  StartingPosition: z.enum(['TRIM_HORIZON', 'LATEST']).optional(),
  MaximumRetryAttempts: count(-1, 10_000).default(-1),
  MaximumRecordAgeInSeconds: count(-1, 604_800).default(-1),
  BisectBatchOnFunctionError: z.boolean().default(false),
  ParallelizationFactor: ignored('a stream has one shard here, read in order'),
  DestinationConfig: destinationConfig.optional(),
  Tags: ignored('tags are for bills'),
});
export type MappingProperties = z.infer<typeof mappingProperties>;

const forStreamsOnly = [
  'StartingPosition',
  'DestinationConfig',
  'ParallelizationFactor',
] as const satisfies (keyof MappingProperties)[];

/** Throws for what AWS refuses beyond the form: settings of the other kind of source, or that need one another. */
export function checkMapping(properties: MappingProperties): void {
  const { BatchSize = 0, MaximumBatchingWindowInSeconds: window } = properties;
  const isQueue = properties.EventSourceArn.startsWith('arn:aws:sqs:');
  if (isQueue) {
    const stray = forStreamsOnly.find((key) => properties[key] !== undefined);
    if (stray !== undefined) throw new Error(`${stray} is for streams, not for queues`);
    if (BatchSize > 10 && window === 0) {
      throw new Error('a BatchSize over 10 needs a MaximumBatchingWindowInSeconds of at least 1');
    }
    if (BatchSize > 10 && properties.EventSourceArn.endsWith('.fifo'))
      throw new Error('a FIFO queue allows 10 at most');
    return;
  }
  if (properties.StartingPosition === undefined) throw new Error('a stream needs a StartingPosition');
  if (properties.ScalingConfig !== undefined) throw new Error('ScalingConfig is for queues, not for streams');
}
