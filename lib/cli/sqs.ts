import { SQSClient } from '@aws-sdk/client-sqs';
import { awsSettings } from './aws-settings.ts';
import type { LocalFile } from './local-file.ts';

/** SQS for the operator. */
export const createSqs = (
  env: Readonly<Record<string, string | undefined>>,
  local?: Pick<LocalFile, 'aws' | 'operator'>,
): SQSClient => new SQSClient(awsSettings('SQS', env, local));
