import type { Context } from 'aws-lambda';
import { hearCanary } from '../../lib/core/hear-canary.ts';
import { readBusEvent } from '../../lib/edge/bus-event.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { createMetric } from '../../lib/edge/metric.ts';
import { env } from './env.ts';

const { MAIL_DOMAIN: mailDomain } = readEnv(env);

/** The bus: a mail came into the canary's inbox. */
export const handler = async (event: unknown, { functionName }: Context): Promise<void> => {
  const heard = createMetric({ name: 'CanaryDelay', unit: 'Milliseconds', functionName });
  await hearCanary({ mailDomain, now: Date.now, heard })(readBusEvent(event));
};
