import type { Call } from '../../lib/local/cloud.ts';

/** Dollars for a million units in us-east-1, and the page that says so. */
const prices = {
  writeUnits: {
    name: 'DynamoDB write request units',
    perMillion: 0.625,
    page: 'Amazon DynamoDB pricing, on-demand',
  },
  readUnits: {
    name: 'DynamoDB read request units',
    perMillion: 0.125,
    page: 'Amazon DynamoDB pricing, on-demand',
  },
  s3Write: { name: 'S3 PUT, COPY, LIST', perMillion: 5, page: 'Amazon S3 pricing, S3 Standard requests' },
  s3Read: { name: 'S3 GET', perMillion: 0.4, page: 'Amazon S3 pricing, S3 Standard requests' },
  sqs: { name: 'SQS requests', perMillion: 0.4, page: 'Amazon SQS pricing, standard queues' },
  sns: { name: 'SNS publishes', perMillion: 0.5, page: 'Amazon SNS pricing, standard topics' },
  events: { name: 'EventBridge events', perMillion: 1, page: 'Amazon EventBridge pricing, custom events' },
  lambda: { name: 'Lambda invocations', perMillion: 0.2, page: 'AWS Lambda pricing, requests' },
  httpApi: { name: 'HTTP API requests', perMillion: 1, page: 'Amazon API Gateway pricing, HTTP APIs' },
  ses: {
    name: 'SES mails received',
    perMillion: 100,
    page: 'Amazon SES pricing, email receiving ($0.10 per 1,000)',
  },
  sesChunks: {
    name: 'SES chunks of 256 KB',
    perMillion: 90,
    page: 'Amazon SES pricing, incoming mail chunks ($0.09 per 1,000, whole ones only)',
  },
} as const;

export type Unit = keyof typeof prices;
export type Units = Partial<Record<Unit, number>>;

const s3Reads = new Set(['GetObject', 'HeadObject']);
// What AWS does not bill for: deletions, and what Lambda's own pollers read of a table's stream.
const free = new Set([
  'DeleteObject',
  'DeleteObjects',
  'GetRecords',
  'GetShardIterator',
  'DescribeStream',
  'ListStreams',
]);

/** What AWS would bill a call by. */
export function unitsOf({ service, action, by, readUnits = 0, writeUnits = 0 }: Call): Units {
  if (service === 'dynamodb') return { readUnits, writeUnits };
  if (free.has(action)) return {};
  if (service === 's3') return s3Reads.has(action) ? { s3Read: 1 } : { s3Write: 1 };
  if (service === 'ses') return { ses: 1 };
  if (service === 'lambda') return by.startsWith('apigateway') ? { lambda: 1, httpApi: 1 } : { lambda: 1 };
  if (service === 'sqs' || service === 'sns' || service === 'events') return { [service]: 1 };
  return {};
}

/** Sum of the units of calls, for one of `times` repetitions. */
export function perTime(calls: readonly Call[], times: number): Units {
  const sum: Units = {};
  for (const call of calls) {
    for (const [unit, n] of Object.entries(unitsOf(call)) as [Unit, number][])
      sum[unit] = (sum[unit] ?? 0) + n / times;
  }
  return Object.fromEntries(Object.entries(sum).filter(([, n]) => n > 0));
}

/** Dollars for a million repetitions. */
export function perMillion(units: Units): number {
  return (Object.entries(units) as [Unit, number][]).reduce(
    (sum, [unit, n]) => sum + n * prices[unit].perMillion,
    0,
  );
}

/** The sum as a person would check it, such as `6 write units × $0.625 = $3.75`, one line each. */
export function arithmetic(units: Units): string[] {
  return (Object.entries(units) as [Unit, number][]).map(([unit, n]) => {
    const { name, perMillion: price } = prices[unit];
    return `${round(n)} ${name} × $${price} = $${(n * price).toFixed(2)}`;
  });
}

/** The pages the prices are from. */
export const pages = (): string[] =>
  Object.values(prices).map(({ name, perMillion: price, page }) => `${name}: $${price} a million (${page})`);

export const round = (n: number): string => String(Math.round(n * 100) / 100);
