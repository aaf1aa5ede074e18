import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { readEnv } from '../../lib/edge/env.ts';
import { env } from './env.ts';

readEnv(env);

/** Says that the door opens, and nothing about what is behind it. */
export async function handler(): Promise<APIGatewayProxyStructuredResultV2> {
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: '{"status":"ok"}',
  };
}
