import { XMLParser } from 'fast-xml-parser';
import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import { canonicalName } from '../dns/domain-name.ts';
import { type RecordSet, type RecordType, recordTypes } from '../dns/record-set.ts';
import { readRecordValue } from '../dns/record-value.ts';

export interface Change {
  action: 'CREATE' | 'DELETE' | 'UPSERT';
  set: RecordSet;
}

/** A batch's limits; a changed value counts twice, since it is a deletion and a creation. */
const MOST_VALUES = 1_000;
const MOST_CHARACTERS = 32_000;
const MOST_VALUES_OF_ONE = 400;

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: true,
  removeNSPrefix: true,
  isArray: (name) => name === 'Change' || name === 'ResourceRecord',
});

const resourceRecordSet = z.strictObject({
  Name: z.string(),
  Type: z.enum(recordTypes),
  TTL: z.coerce.number().int().min(0).max(2_147_483_647),
  ResourceRecords: z.object({ ResourceRecord: z.array(z.object({ Value: z.string() })).min(1) }),
});
const request = z.object({
  ChangeResourceRecordSetsRequest: z.object({
    ChangeBatch: z.object({
      Changes: z.object({
        Change: z
          .array(
            z.object({
              Action: z.enum(['CREATE', 'DELETE', 'UPSERT']),
              ResourceRecordSet: resourceRecordSet,
            }),
          )
          .min(1),
      }),
    }),
  }),
});

/** The changes a request asks for. Aliases and routing policies are refused: nothing here would answer for them. */
export function readChanges(xml: string): Change[] {
  const parsed = request.safeParse(/<!DOCTYPE/i.test(xml) ? undefined : withoutSpaces(parser.parse(xml)));
  if (!parsed.success) throw new AwsError('InvalidInput', z.prettifyError(parsed.error));
  return parsed.data.ChangeResourceRecordSetsRequest.ChangeBatch.Changes.Change.map((change) => ({
    action: change.Action,
    set: {
      name: readName(change.ResourceRecordSet.Name),
      type: change.ResourceRecordSet.Type,
      ttl: change.ResourceRecordSet.TTL,
      values: change.ResourceRecordSet.ResourceRecords.ResourceRecord.map(({ Value }) => Value),
    },
  }));
}

/** Route 53 shows a wildcard's asterisk as `\052` and takes it either way. */
export const readName = (name: string): string => canonicalName(name.replace(/\\052/g, '*'));
export const shownName = (name: string): string => `${name.replace(/\*/g, '\\052')}.`;

/** What is wrong with the batch, complaint by complaint; an empty list when nothing is. */
export function complaints(changes: readonly Change[], origin: string, current: Current): string[] {
  const values = changes.flatMap(({ action, set }) => [
    ...set.values,
    ...(action === 'UPSERT' ? set.values : []),
  ]);
  if (values.length > MOST_VALUES) return [`Number of records limit of ${MOST_VALUES} exceeded.`];
  if (values.join('').length > MOST_CHARACTERS) return [`Value size limit of ${MOST_CHARACTERS} exceeded.`];
  const said: string[] = [];
  const ahead = new Map<string, RecordSet | undefined>();
  const at = (name: string, type: RecordType) =>
    ahead.has(`${type} ${name}`) ? ahead.get(`${type} ${name}`) : current(name, type);
  for (const { action, set } of changes) {
    said.push(...wrongWith(action, set, origin, at));
    ahead.set(`${set.type} ${set.name}`, action === 'DELETE' ? undefined : set);
  }
  return said;
}

type Current = (name: string, type: RecordType) => RecordSet | undefined;

function wrongWith(action: Change['action'], set: RecordSet, origin: string, at: Current): string[] {
  const what = `resource record set [name='${shownName(set.name)}', type='${set.type}']`;
  if (set.name !== origin && !set.name.endsWith(`.${origin}`)) {
    return [`RRSet with DNS name ${shownName(set.name)} is not permitted in zone ${shownName(origin)}`];
  }
  if (set.values.length > MOST_VALUES_OF_ONE) return [`Too many values in ${what}`];
  const unreadable = set.values.flatMap((value) => invalid(set.type, value));
  if (unreadable.length > 0) return unreadable;
  const known = at(set.name, set.type);
  if (action === 'DELETE')
    return known === undefined
      ? [`Tried to delete ${what} but it was not found`]
      : differing(known, set, what);
  if (action === 'CREATE' && known !== undefined) return [`Tried to create ${what} but it already exists`];
  return conflicting(set, origin, at);
}

function invalid(type: RecordType, value: string): string[] {
  try {
    readRecordValue(type, value);
    return [];
  } catch (error) {
    return [`Invalid Resource Record: ${(error as Error).message}`];
  }
}

/** A deletion has to say what it deletes. */
function differing(known: RecordSet, set: RecordSet, what: string): string[] {
  const same =
    known.ttl === set.ttl && known.values.toSorted().join('\n') === set.values.toSorted().join('\n');
  return same ? [] : [`Tried to delete ${what} but the values provided do not match the current values`];
}

/** A CNAME stands alone and never at the apex (RFC 1034 §3.6.2). */
function conflicting(set: RecordSet, origin: string, at: Current): string[] {
  const others = recordTypes.filter((type) => (set.type === 'CNAME') !== (type === 'CNAME'));
  if (set.type === 'CNAME' && set.name === origin) {
    return [
      `RRSet of type CNAME with DNS name ${shownName(origin)} is not permitted at apex in zone ${shownName(origin)}`,
    ];
  }
  const other = others.find((type) => at(set.name, type) !== undefined);
  if (other === undefined) return [];
  return [
    `RRSet of type ${set.type} with DNS name ${shownName(set.name)} is not permitted because a conflicting RRSet of type ${other} already exists`,
  ];
}

/** Indentation between elements is no content. */
function withoutSpaces(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSpaces);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== '#text' && name !== '?xml')
      .map(([name, inner]) => [name, withoutSpaces(inner)]),
  );
}
