import * as z from 'zod';
import { ignored } from '../ignored.ts';

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** AWS::Lambda::Function, as far as it has a meaning here. */
export const functionProperties = z.strictObject({
  FunctionName: z.string().optional(),
  Description: ignored('for people in the console'),
  Code: ignored('the sources run, or the bundle that the metadata names'),
  Handler: z.string().regex(/^[\w./-]+\.[A-Za-z_$][\w$]*$/, 'must be <file>.<export>, such as index.handler'),
  Runtime: z.literal('nodejs24.x'),
  Architectures: ignored('the machine has the one it has'),
  MemorySize: z.coerce.number().int().min(128).max(10_240).default(128),
  Timeout: z.coerce.number().int().min(1).max(900).default(3),
  Environment: z.strictObject({ Variables: z.record(z.string(), text).default({}) }).optional(),
  Role: z.string(),
  LoggingConfig: z
    .strictObject({
      LogGroup: z.string().optional(),
      LogFormat: ignored('lines are kept as the function writes them'),
      ApplicationLogLevel: ignored('lines are kept as the function writes them'),
      SystemLogLevel: ignored('lines are kept as the function writes them'),
    })
    .optional(),
  TracingConfig: ignored('there is no X-Ray here'),
  EphemeralStorage: ignored('the scratch folder is as large as the disk'),
  ReservedConcurrentExecutions: z
    .never(
      'fails to deploy in accounts with a low concurrency quota; limit the event source (ScalingConfig) instead',
    )
    .optional(),
  Tags: ignored('tags are for bills'),
});
export type FunctionProperties = z.infer<typeof functionProperties>;
