import * as z from 'zod';
import { stackPrefix } from '../contract/dead-letters.ts';
import { receivingRegions } from './receiving-regions.ts';

/** The periods CloudWatch Logs can keep a log for, in days. */
const logPeriods = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** Stages whose data nobody would miss: `cdk destroy` takes it along. */
const disposable = (stage: string) => stage === 'dev' || stage === 'local';

// RFC 1035 §2.3.1 labels; the top one is not all digits, so that an IPv4 address is no domain.
const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const domain = z
  .string({ error: 'give a domain such as mail.example.com' })
  .max(253, 'a domain has at most 253 characters')
  .regex(new RegExp(`^(${label}\\.)+(?=.*[a-z])${label}$`), {
    error:
      'allowed is a lower-case domain such as mail.example.com (other scripts in Punycode), without a final dot',
  });

const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `allowed is one of: ${values.join(', ')}` });

// The command line has only strings; cdk.json has numbers, lists and booleans too.
const words = (value: unknown) => (typeof value === 'string' ? value.split(/[\s,]+/).filter(Boolean) : value);
const count = (unit: 'days' | 'minutes', fallback: number) =>
  z
    .preprocess(
      (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
      z.int({ error: `allowed is a number of ${unit}` }),
    )
    .default(fallback);
const days = (fallback: number) => count('days', fallback);
const minutes = (fallback: number) => count('minutes', fallback);
const flag = z.stringbool({ truthy: ['true'], falsy: ['false'], error: 'allowed is true or false' });

const settings = z.object({
  /** Domain whose addresses need no setup. */
  mailDomain: domain,
  /** Route 53 zone that holds the mail domain; without it the records are an output for another DNS host. */
  hostedZoneId: z
    .string()
    .regex(/^Z[A-Z0-9]{1,31}$/, 'allowed is a zone id such as Z0123456789ABC')
    .optional(),
  /** The zone's own name; the mail domain when absent. */
  hostedZoneName: domain.optional(),
  /** Origins that requests are signed for; the API's own endpoint when absent. */
  publicOrigins: z.preprocess(words, z.array(z.string()).min(1, 'give at least one origin').optional()),
  /** Names the stack `posthorn-<stage>`. `dev` and `local` are disposable. */
  stage: z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{0,18}[a-z0-9]$/,
      'allowed are 2 to 20 characters a-z, 0-9 and -, starting with a letter',
    )
    .default('prod'),
  logRetentionDays: days(90).refine((value) => logPeriods.includes(value), {
    error: `allowed is one of: ${logPeriods.join(', ')}`,
  }),
  /** Mail that no function could take in is deleted after these days; the DLQs forget after 14. */
  incomingRetentionDays: days(30).refine((value) => value >= 15 && value <= 3650, {
    error: 'allowed are 15 to 3650 days (the dead-letter queues keep their notices for 14)',
  }),
  /** Whether some people in the account may, in the end, set the lock of the exported ledger aside, or nobody at all. */
  ledgerRetentionMode: oneOf(['governance', 'compliance']).default('governance'),
  /** Days each export of the ledger is locked for. */
  ledgerRetentionDays: days(365).refine((value) => value >= 1 && value <= 36_500, {
    error: 'allowed are 1 to 36500 days',
  }),
  /** Accounts that may keep rules of their own on the event bus. */
  busSubscribers: z.preprocess(
    words,
    z
      .array(z.string().regex(/^\d{12}$/, 'allowed are account ids of 12 digits'))
      .max(20, 'allowed are 20 accounts')
      .default([]),
  ),
  /** Days the address of a deleted inbox rests for every other organization. */
  quarantineDays: days(30).refine((value) => value >= 0 && value <= 365, {
    error: 'allowed are 0 to 365 days',
  }),
  /** Minutes before its end that an inbox is announced to expire. */
  expiryNoticeMinutes: minutes(60).refine((value) => value >= 0 && value <= 43_200, {
    error: 'allowed are 0 to 43200 minutes (30 days)',
  }),
  /** Minutes between the mails that the deployment sends itself to show that all of it works; 0: none. */
  canaryMinutes: minutes(0).refine((value) => value >= 0 && value <= 60, {
    error: 'allowed are 0 (none) to 60 minutes',
  }),
  alarmEmail: z.email({ error: 'allowed is an e-mail address' }).optional(),
  removalPolicy: oneOf(['retain', 'destroy']).optional(),
  deletionProtection: z.union([z.boolean(), flag], { error: 'allowed is true or false' }).optional(),
  /** Whether each call is carried out with credentials that reach its own organization alone. */
  tenantFence: z.union([z.boolean(), flag], { error: 'allowed is true or false' }).default(true),
  /** What to do about the account's one active receipt rule set; `off` leaves it to a person. */
  activateReceiving: oneOf(['create', 'adopt', 'off']).default('create'),
  dmarcPolicy: oneOf(['none', 'quarantine', 'reject']).default('quarantine'),
  /** Where DMARC's aggregate reports go (`rua`); nowhere when absent. */
  dmarcReports: z.email({ error: 'allowed is an e-mail address' }).optional(),
  /** Label below the mail domain that bounces return to; it must not receive other mail. */
  mailFromSubdomain: z
    .string()
    .regex(new RegExp(`^${label}$`), 'allowed is one label such as bounce')
    .default('bounce'),
  /** When the MAIL FROM records are missing: send from amazonses.com, or refuse. */
  mailFromFailure: oneOf(['USE_DEFAULT_VALUE', 'REJECT_MESSAGE']).default('USE_DEFAULT_VALUE'),
  /** Where the runbook is published; alarms link into it. */
  runbookUrl: z.string().min(1).default('docs/runbook.md'),
  region: z
    .enum(receivingRegions, {
      error: `SES does not receive mail there; allowed is one of: ${receivingRegions.join(', ')}`,
    })
    .optional(),
  account: z
    .string()
    .regex(/^\d{12}$/, 'allowed is an account id of 12 digits')
    .optional(),
});

const config = settings
  .superRefine((value, context) => {
    const { mailDomain, hostedZoneId, hostedZoneName: zone, publicOrigins, stage } = value;
    const fault = (field: keyof Settings, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message, input: value[field] });
    if (zone && !hostedZoneId)
      fault('hostedZoneId', `give the id of the zone ${zone}, or leave hostedZoneName out`);
    if (zone && mailDomain !== zone && !mailDomain.endsWith(`.${zone}`)) {
      fault('hostedZoneName', `allowed is ${mailDomain} or a domain above it`);
    }
    for (const origin of publicOrigins ?? []) {
      const problem = originProblem(origin, stage);
      if (problem) fault('publicOrigins', `${origin}: ${problem}`);
    }
  })
  .transform(({ hostedZoneId, hostedZoneName, ...rest }) => ({
    ...rest,
    hostedZone:
      hostedZoneId === undefined ? undefined : { id: hostedZoneId, name: hostedZoneName ?? rest.mailDomain },
    removalPolicy: rest.removalPolicy ?? (disposable(rest.stage) ? 'destroy' : 'retain'),
    deletionProtection: rest.deletionProtection ?? !disposable(rest.stage),
    stackName: `${stackPrefix}${rest.stage}`,
  }));

export type Settings = z.input<typeof settings>;
/** The whole configuration of a deployment, defaults filled in. */
export type Config = z.output<typeof config>;
/** Names of the settings, as `cdk -c` and cdk.json take them. */
export const settingNames = Object.keys(settings.shape) as (keyof Settings)[];

/** Checks settings; throws an Error with one line for each wrong field and what is allowed there. */
export function configFrom(given: Record<string, unknown>): Config {
  const parsed = config.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => {
    const field = String(path[0]);
    const value = given[field];
    const got = value === undefined ? `give it with -c ${field}=…` : `it is ${JSON.stringify(value)}`;
    return `  ${field}: ${message} (${got})`;
  });
  throw new Error(`The configuration of Posthorn is not right:\n${lines.join('\n')}`);
}

/** As `configFrom`, from everything CDK holds as context. A name that is none of ours nor CDK's is refused as a typo. */
export function configFromContext(context: Record<string, unknown>): Config {
  const known: readonly string[] = settingNames;
  // CDK's own keys carry a colon, a slash or a dash.
  const strange = Object.keys(context).filter((key) => /^\w+$/.test(key) && !known.includes(key));
  if (strange.length > 0) {
    throw new Error(`Not a setting of Posthorn: ${strange.join(', ')}. Allowed are: ${known.join(', ')}`);
  }
  return configFrom(
    Object.fromEntries(known.filter((key) => key in context).map((key) => [key, context[key]])),
  );
}

function originProblem(origin: string, stage: string): string | undefined {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url === undefined || url.origin !== origin)
    return 'allowed is an origin such as https://mail.example.com';
  if (url.protocol === 'https:') return undefined;
  const loopback = url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (loopback && stage === 'local') return undefined;
  return 'allowed is https only';
}
