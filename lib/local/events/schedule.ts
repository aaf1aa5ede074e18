import awsCronParser from 'aws-cron-parser';

/** The next time a schedule is due after `from`; milliseconds since the epoch. `undefined` when never again. */
export type Schedule = (from: number) => number | undefined;

const units: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Reads `rate(5 minutes)` or `cron(0 12 * * ? *)`, in UTC. A rate counts from `start`. Throws an Error for an
 * expression EventBridge would refuse.
 */
export function readSchedule(expression: string, start: number): Schedule {
  const rate = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(expression);
  if (rate !== null) {
    const count = Number(rate[1]);
    if (count < 1 || (count === 1) !== (rate[3] === '')) throw invalid(expression);
    const period = count * units[rate[2]!]!;
    return (from) => start + (Math.floor((from - start) / period) + 1) * period;
  }
  const cron = /^cron\(([^()]+)\)$/.exec(expression);
  const fields = cron?.[1]?.trim().split(/\s+/) ?? [];
  // Exactly one of day-of-month and day-of-week is left open.
  if (fields.length !== 6 || (fields[2] === '?') === (fields[4] === '?')) throw invalid(expression);
  if (!fields.every((field) => /^[\w*?,/#-]+$/.test(field))) throw invalid(expression);
  return cronSchedule(expression, fields.join(' '));
}

function cronSchedule(expression: string, fields: string): Schedule {
  let parsed: ReturnType<typeof awsCronParser.parse>;
  try {
    parsed = awsCronParser.parse(fields);
    awsCronParser.next(parsed, new Date(0));
  } catch {
    throw invalid(expression);
  }
  const numbers = Object.values(parsed).flat() as (string | number)[];
  if (numbers.some((each) => Number.isNaN(each))) throw invalid(expression);
  return (from) => awsCronParser.next(parsed, new Date(from))?.getTime();
}

const invalid = (expression: string) => new Error(`Parameter ScheduleExpression is not valid: ${expression}`);
