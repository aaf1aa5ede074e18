import { expect, it } from 'vitest';
import { createMetric } from '../../lib/edge/metric.ts';

it('a value is one line that CloudWatch reads as a metric of the function', () => {
  const lines: string[] = [];
  const metric = { name: 'CanaryDelay', unit: 'Milliseconds', functionName: 'posthorn-hear' } as const;
  createMetric(
    metric,
    (line) => void lines.push(line),
    () => 1_767_225_600_000,
  )(1234);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      _aws: {
        Timestamp: 1_767_225_600_000,
        CloudWatchMetrics: [
          {
            Namespace: 'Posthorn',
            Dimensions: [['FunctionName']],
            Metrics: [{ Name: 'CanaryDelay', Unit: 'Milliseconds' }],
          },
        ],
      },
      FunctionName: 'posthorn-hear',
      CanaryDelay: 1234,
    },
  ]);
});
