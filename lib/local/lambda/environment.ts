import { AwsError } from '../aws-error.ts';
import { limits } from './limits.ts';

/** Temporary credentials of a function's role. */
export interface RoleKeys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
}

/** Names that Lambda sets itself and lets nobody set (Lambda developer guide, "Defined runtime environment variables"). */
const reserved = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_DEFAULT_REGION',
  'AWS_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_LAMBDA_RUNTIME_API',
  'LAMBDA_TASK_ROOT',
  'LAMBDA_RUNTIME_DIR',
]);

const because =
  'Lambda was unable to configure your environment variables because the environment variables you have';

/** Throws InvalidParameterValueException where Lambda refuses a function's own variables. */
export function checkVariables(variables: Record<string, string>): void {
  const taken = Object.keys(variables).filter((name) => reserved.has(name));
  if (taken.length > 0) {
    throw new AwsError(
      'InvalidParameterValueException',
      `${because} provided contains reserved keys that are currently not supported for modification. ` +
        `Reserved keys used in this request: ${taken.join(', ')}`,
    );
  }
  const odd = Object.keys(variables).find((name) => !/^[a-zA-Z]\w+$/.test(name));
  if (odd !== undefined)
    throw new AwsError('ValidationException', `environment variable name '${odd}' is not allowed`);
  const size = Object.entries(variables).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
  if (size > limits.environment) {
    const message = `${because} provided exceeded the 4KB limit. They take ${size} bytes`;
    throw new AwsError('InvalidParameterValueException', message);
  }
}

/** Everything an instance finds in `process.env`: the template's variables, Lambda's own, and where AWS is here. */
export function environmentOf(given: {
  variables: Record<string, string>;
  region: string;
  functionName: string;
  handler: string;
  memorySize: number;
  logGroup: string;
  logStream: string;
  taskRoot: string;
  tmp: string;
  endpoint: string;
  keys: RoleKeys;
}): Record<string, string> {
  return {
    ...given.variables,
    _HANDLER: given.handler,
    AWS_REGION: given.region,
    AWS_DEFAULT_REGION: given.region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: given.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(given.memorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: given.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: given.logStream,
    LAMBDA_TASK_ROOT: given.taskRoot,
    TZ: ':UTC',
    AWS_ACCESS_KEY_ID: given.keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: given.keys.secretAccessKey,
    AWS_SESSION_TOKEN: given.keys.sessionToken,
    // Two that AWS does not set: the one endpoint of this machine, and a scratch folder in place of /tmp.
    AWS_ENDPOINT_URL: given.endpoint,
    TMPDIR: given.tmp,
  };
}
