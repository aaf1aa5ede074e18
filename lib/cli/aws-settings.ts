import type { LocalFile } from './local-file.ts';

/**
 * How the operator reaches a service of AWS: that of the local cloud, where this is one; otherwise by the ordinary AWS
 * credential chain. An `AWS_ENDPOINT_URL` goes before both.
 */
export function awsSettings(
  service: 'S3' | 'SQS',
  env: Readonly<Record<string, string | undefined>>,
  local?: Pick<LocalFile, 'aws' | 'operator'>,
) {
  const endpoint = env[`AWS_ENDPOINT_URL_${service}`] ?? env['AWS_ENDPOINT_URL'] ?? local?.aws;
  const region = local?.operator.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  return {
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(local && {
      credentials: {
        accessKeyId: local.operator.access_key_id,
        secretAccessKey: local.operator.secret_access_key,
      },
    }),
  };
}
