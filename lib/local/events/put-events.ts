import * as z from 'zod';
import { AwsError } from '../aws-error.ts';
import type { Caller, Cloud } from '../cloud.ts';
import type { Bus } from './rule-resource.ts';
import { busName } from './rule-resource.ts';

/** 1 MB: all entries of a request together. */
const maxRequest = 1024 * 1024;

const entry = z.object({
  Source: z.string().nullish(),
  DetailType: z.string().nullish(),
  Detail: z.string().nullish(),
  EventBusName: z.string().nullish(),
  Resources: z.array(z.string()).nullish(),
  /** Seconds since the epoch. */
  Time: z.number().nullish(),
  TraceHeader: z.string().nullish(),
});
export type Entry = z.infer<typeof entry>;
const request = z.object({ Entries: z.array(entry), EndpointId: z.string().nullish() });

/** An event that may go on its bus. */
export interface AcceptedEvent {
  bus: string;
  source: string;
  detailType: string;
  detail: unknown;
  resources: string[];
  /** Milliseconds since the epoch; now when absent. */
  time: number | undefined;
}
type Refused = { ErrorCode: string; ErrorMessage: string };

/** Throws ValidationException (400) for a request that is refused as a whole. */
export function readEntries(input: unknown): Entry[] {
  const parsed = request.safeParse(input);
  if (!parsed.success) throw invalid(parsed.error.issues[0]?.message ?? 'the request is not valid');
  const { Entries, EndpointId } = parsed.data;
  if (EndpointId != null)
    throw new AwsError('NotImplemented', 'The local EventBridge has no endpoints.', { status: 501 });
  if (Entries.length < 1 || Entries.length > 10) {
    throw invalid(
      `1 validation error detected: 'entries' must have between 1 and 10 members, not ${Entries.length}`,
    );
  }
  const size = Entries.reduce((sum, each) => sum + entrySize(each), 0);
  if (size >= maxRequest) throw invalid('Total size of the entries in the request is over the limit.');
  return Entries;
}

const invalid = (message: string) => new AwsError('ValidationException', message);

/** As AWS counts: 14 bytes for a time, and the text of the rest. */
function entrySize({ Time, Source, DetailType, Detail, Resources }: Entry): number {
  const texts = [Source ?? '', DetailType ?? '', Detail ?? '', ...(Resources ?? [])];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time == null ? 0 : 14);
}

/** The event an entry makes, or the error its own result carries. Throws AccessDeniedException when IAM says no. */
export function readEntry(
  cloud: Cloud,
  buses: Map<string, Bus>,
  caller: Caller,
  each: Entry,
): AcceptedEvent | Refused {
  for (const name of ['Source', 'DetailType', 'Detail'] as const) {
    if (!each[name])
      return refused('InvalidArgument', `Parameter ${name} is not valid. Reason: ${name} is required.`);
  }
  const [source, detailType] = [each.Source!, each.DetailType!];
  if (detailType.length > 128) {
    return refused(
      'InvalidArgument',
      'Parameter DetailType is not valid. Reason: it is longer than 128 characters.',
    );
  }
  const bus = buses.get(busName(each.EventBusName ?? undefined));
  if (bus === undefined) return refused('InvalidArgument', `Event bus ${each.EventBusName} does not exist.`);
  authorize(cloud, bus, caller, source, detailType);
  if (source.startsWith('aws.')) {
    return refused('NotAuthorizedForSourceException', 'Not authorized for the source.');
  }
  const detail = readDetail(each.Detail!);
  if (detail === undefined) return refused('MalformedDetail', 'Detail is malformed.');
  const time = each.Time == null ? undefined : each.Time * 1000;
  return { bus: bus.name, source, detailType, detail, resources: each.Resources ?? [], time };
}

const refused = (ErrorCode: string, ErrorMessage: string): Refused => ({ ErrorCode, ErrorMessage });

function authorize(cloud: Cloud, bus: Bus, caller: Caller, source: string, detailType: string): void {
  const context = {
    'aws:SecureTransport': 'true',
    'events:source': source,
    'events:detail-type': detailType,
  };
  cloud.authorize({
    caller,
    action: 'events:PutEvents',
    resource: bus.arn,
    context,
    resourcePolicy: bus.policy,
  });
}

/** A JSON object; `undefined` for anything else. */
function readDetail(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
