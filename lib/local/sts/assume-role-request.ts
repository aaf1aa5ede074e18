import { AwsError } from '../aws-error.ts';
import type { RoleWish } from '../iam/iam.ts';
import type { QueryValue } from '../query-protocol.ts';

/** What AWS takes and this machine does not play: each would change what the session may do. */
const notPlayed = [
  'Policy',
  'PolicyArns',
  'TransitiveTagKeys',
  'ExternalId',
  'SerialNumber',
  'TokenCode',
  'SourceIdentity',
  'ProvidedContexts',
];
const parameters = ['RoleArn', 'RoleSessionName', 'DurationSeconds', 'Tags'];

/** The limits of the API reference; lengths are of characters. */
const mostTags = 50;
const seconds = { least: 900, most: 43_200, usual: 3_600 };
const roleName = { pattern: /^[\w+=,.@-]*$/, text: '[\\w+=,.@-]*', least: 2, most: 64 };
const tagKey = { pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u, least: 1, most: 128 };
const tagValue = { pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u, least: 0, most: 256 };
const tagText = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]';

/** Reads the parameters of AssumeRole. Throws AwsError ValidationError with every fault, as AWS does. */
export function readAssumeRole(input: Record<string, QueryValue>): RoleWish & { seconds: number } {
  checkParameters(input);
  const { RoleArn, RoleSessionName, DurationSeconds = String(seconds.usual), Tags = '' } = input;
  const faults = [
    ...textFaults('roleArn', RoleArn, { least: 20, most: 2_048 }),
    ...textFaults('roleSessionName', RoleSessionName, roleName),
    ...durationFaults(DurationSeconds),
    ...tagFaults(Tags),
  ];
  if (faults.length > 0) {
    const count = `${faults.length} validation error${faults.length === 1 ? '' : 's'} detected`;
    throw invalid(`${count}: ${faults.join('; ')}`);
  }
  const roleArn = RoleArn as string;
  if (!/^arn:aws:iam::\d{12}:role\/[\x21-\x7e]+$/.test(roleArn)) throw invalid(`${roleArn} is invalid`);
  const tags = sessionTags(Tags as '' | { Key: string; Value: string }[]);
  return { roleArn, sessionName: RoleSessionName as string, seconds: Number(DurationSeconds), tags };
}

function checkParameters(input: Record<string, QueryValue>): void {
  for (const [name, value] of Object.entries(input)) {
    // SDKs write an empty list as a name without a value.
    if (parameters.includes(name) || (notPlayed.includes(name) && value === '')) continue;
    throw invalid(
      notPlayed.includes(name)
        ? `The local STS does not play ${name}: leave it out.`
        : `AssumeRole has no parameter ${name}.`,
    );
  }
}

interface Limits {
  least: number;
  most: number;
  pattern?: RegExp;
  text?: string;
}

function textFaults(at: string, value: QueryValue | undefined, limits: Limits): string[] {
  const failed = (shown: string, rule: string) =>
    `Value ${shown} at '${at}' failed to satisfy constraint: Member must ${rule}`;
  if (typeof value !== 'string') return [failed('null', 'not be null')];
  const length = [...value].length;
  const faults: string[] = [];
  if (length < limits.least) faults.push(`have length greater than or equal to ${limits.least}`);
  if (length > limits.most) faults.push(`have length less than or equal to ${limits.most}`);
  if (limits.pattern?.test(value) === false)
    faults.push(`satisfy regular expression pattern: ${limits.text}`);
  return faults.map((rule) => failed(`'${value}'`, rule));
}

function durationFaults(value: QueryValue): string[] {
  if (typeof value !== 'string' || !/^-?\d+$/.test(value)) throw invalid('DurationSeconds is no integer');
  const failed = `Value '${value}' at 'durationSeconds' failed to satisfy constraint: Member must have value`;
  if (Number(value) < seconds.least) return [`${failed} greater than or equal to ${seconds.least}`];
  return Number(value) > seconds.most ? [`${failed} less than or equal to ${seconds.most}`] : [];
}

function tagFaults(tags: QueryValue): string[] {
  if (tags === '') return [];
  if (!Array.isArray(tags)) throw invalid('Tags is no list of Tags.member.N.Key and Tags.member.N.Value');
  const faults = tags.flatMap((tag, at) => {
    const { Key, Value } = Object(tag) as { Key?: QueryValue; Value?: QueryValue };
    const place = `tags.${at + 1}.member`;
    return [
      ...textFaults(`${place}.key`, Key, { ...tagKey, text: `${tagText}+` }),
      ...textFaults(`${place}.value`, Value, { ...tagValue, text: `${tagText}*` }),
    ];
  });
  if (tags.length <= mostTags) return faults;
  const rule = `Member must have length less than or equal to ${mostTags}`;
  return [`Value of ${tags.length} members at 'tags' failed to satisfy constraint: ${rule}`, ...faults];
}

function sessionTags(tags: '' | { Key: string; Value: string }[]): Record<string, string> {
  const list = tags === '' ? [] : tags;
  if (new Set(list.map(({ Key }) => Key.toLowerCase())).size < list.length) {
    const message = 'Duplicate tag keys found. Please note that Tag keys are case insensitive.';
    throw new AwsError('InvalidParameterValue', message);
  }
  const reserved = list.find(({ Key, Value }) => /^aws:/i.test(Key) || /^aws:/i.test(Value));
  if (reserved !== undefined) throw invalid(`the prefix aws: of ${reserved.Key} is reserved for AWS`);
  return Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));
}

const invalid = (message: string) => new AwsError('ValidationError', message);
