import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { AwsError } from '../aws-error.ts';
import { callerName } from '../caller-name.ts';
import type { Cloud, ResourceType, Service, ServiceRequest, ServiceResponse } from '../cloud.ts';
import type { NameService } from '../dns/name-service.ts';
import type { RecordSet } from '../dns/record-set.ts';
import { openDatabase } from '../open-database.ts';
import { RateLimit } from '../rate-limit.ts';
import { xmlElement, type XmlContent } from '../xml-element.ts';
import { type Change, readChanges, readName, shownName } from './change-batch.ts';
import { route53Resources } from './resources.ts';
import { type ChangeInfo, zoneSchema, ZoneStore } from './zone-store.ts';

const NAMESPACE = 'https://route53.amazonaws.com/doc/2013-04-01/';
/** How long a change takes to reach all name servers when it is slow. */
const SLOW_CHANGE = 30_000;
const LARGEST_PAGE = 300;
const LARGEST_BODY = 1024 * 1024;

/** Amazon Route 53, as far as a mail domain needs it; the zone of that domain exists from the start. */
export class Route53 implements Service {
  readonly scopes = ['route53'];
  readonly resources: readonly ResourceType[];
  readonly zones: ZoneStore;
  readonly #cloud: Cloud;
  readonly #database: DatabaseSync;
  /** Five requests per second for the whole account, whatever they are. */
  readonly #rate: RateLimit;

  constructor(options: { cloud: Cloud; names: NameService; domain: string }) {
    this.#cloud = options.cloud;
    this.#database = openDatabase(options.cloud, 'route53', zoneSchema);
    this.#rate = new RateLimit(options.cloud, 5, 'Throttling');
    this.zones = new ZoneStore(this.#database, options.names);
    this.zones.ensure(options.domain, false);
    this.resources = route53Resources(this.zones, () => options.cloud.clock.now());
  }

  async stop(): Promise<void> {
    this.#database.close();
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    try {
      return await this.#route(request);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const detail = {
        Type: error.status >= 500 ? 'Receiver' : 'Sender',
        Code: error.code,
        Message: error.message,
      };
      return xml(error.status, 'ErrorResponse', { Error: detail, RequestId: randomUUID() });
    }
  }

  async #route(request: ServiceRequest): Promise<ServiceResponse> {
    const [, kind, id, rest] =
      /^\/2013-04-01\/(hostedzone|change)\/([^/]+)(\/rrset)?\/?$/.exec(request.path) ?? [];
    if (kind === 'change' && request.method === 'GET') {
      return this.#counted(request, 'GetChange', `change/${id}`, {}, () => {
        return xml(200, 'GetChangeResponse', { ChangeInfo: this.#shown(this.zones.changeInfo(id!)) });
      });
    }
    if (kind === 'hostedzone' && rest !== undefined && request.method === 'GET') {
      return this.#counted(request, 'ListResourceRecordSets', `hostedzone/${id}`, {}, () =>
        this.#list(id!, request.query),
      );
    }
    if (kind === 'hostedzone' && rest !== undefined && request.method === 'POST') {
      const changes = readChanges(await readBody(request));
      return this.#counted(
        request,
        'ChangeResourceRecordSets',
        `hostedzone/${id}`,
        conditionKeys(changes),
        () => {
          return this.#change(id!, changes);
        },
      );
    }
    const what = `${request.method} ${request.path}`;
    throw new AwsError('UnknownOperationException', `The local Route 53 does not know ${what}.`, {
      status: 404,
    });
  }

  #change(id: string, changes: Change[]): ServiceResponse {
    const { clock, weather } = this.#cloud;
    const delay = weather.strikes('delay') ? SLOW_CHANGE : 0;
    const info = this.zones.change(this.zones.get(id), changes, clock.now(), delay);
    return xml(200, 'ChangeResourceRecordSetsResponse', { ChangeInfo: this.#shown(info) });
  }

  /** In the order of reversed labels, from the name and type asked for. */
  #list(id: string, query: URLSearchParams): ServiceResponse {
    const size = Math.min(LARGEST_PAGE, Number(query.get('maxitems') ?? LARGEST_PAGE) || LARGEST_PAGE);
    const name = query.get('name');
    const from = name === null ? '' : sortKey({ name: readName(name), type: query.get('type') ?? '' });
    const sets = this.zones
      .get(id)
      .zone.sets()
      .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    const rest = sets.filter((set) => sortKey(set) >= from);
    const next = rest[size];
    return xml(200, 'ListResourceRecordSetsResponse', {
      ResourceRecordSets: { ResourceRecordSet: rest.slice(0, size).map(shownSet) },
      IsTruncated: next !== undefined,
      MaxItems: size,
      ...(next === undefined ? {} : { NextRecordName: shownName(next.name), NextRecordType: next.type }),
    });
  }

  #shown({ id, submitted, inSync }: ChangeInfo): XmlContent {
    const Status = this.#cloud.clock.now() >= inSync ? 'INSYNC' : 'PENDING';
    return { Id: `/change/${id}`, Status, SubmittedAt: new Date(submitted).toISOString() };
  }

  #counted(
    request: ServiceRequest,
    action: string,
    resource: string,
    context: Record<string, string[]>,
    run: () => ServiceResponse,
  ) {
    const { caller } = request;
    const call = { service: 'route53', action, by: callerName(caller) };
    try {
      this.#rate.take();
      this.#cloud.authorize({
        caller,
        action: `route53:${action}`,
        resource: `arn:aws:route53:::${resource}`,
        context,
      });
      const response = run();
      this.#cloud.record(call);
      return response;
    } catch (error) {
      this.#cloud.record({ ...call, error: (error as Error).name });
      throw error;
    }
  }
}

/** What a policy can hold a change to. */
const conditionKeys = (changes: Change[]): Record<string, string[]> => ({
  'route53:ChangeResourceRecordSetsNormalizedRecordNames': [
    ...new Set(changes.map(({ set }) => set.name.replace(/\*/g, '\\052'))),
  ],
  'route53:ChangeResourceRecordSetsRecordTypes': [...new Set(changes.map(({ set }) => set.type))],
  'route53:ChangeResourceRecordSetsActions': [...new Set(changes.map(({ action }) => action))],
});

const sortKey = ({ name, type }: { name: string; type: string }) =>
  `${name.split('.').reverse().join('.')} ${type}`;

const shownSet = (set: RecordSet): XmlContent => ({
  Name: shownName(set.name),
  Type: set.type,
  TTL: set.ttl,
  ResourceRecords: { ResourceRecord: set.values.map((value) => ({ Value: value })) },
});

const xml = (status: number, root: string, content: XmlContent): ServiceResponse => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n${xmlElement(root, content, NAMESPACE)}`,
});

async function readBody({ body }: ServiceRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LARGEST_BODY) throw new AwsError('InvalidInput', 'The request is larger than 1 MB.');
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString('utf8');
}
