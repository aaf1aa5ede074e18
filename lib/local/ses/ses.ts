import type { DatabaseSync } from 'node:sqlite';
import { AwsError } from '../aws-error.ts';
import { callerName } from '../caller-name.ts';
import type { Cloud, ResourceType, Service, ServiceRequest, ServiceResponse } from '../cloud.ts';
import type { NameService } from '../dns/name-service.ts';
import { resolverOf } from '../dns/resolver.ts';
import { openDatabase } from '../open-database.ts';
import { queryAnswer, queryError, readQuery, readText } from '../query-protocol.ts';
import { RateLimit } from '../rate-limit.ts';
import type { ObjectStore, Topics } from './delivery.ts';
import { identityOperation, jsonAnswer, jsonError } from './identity-api.ts';
import { IdentityStore, identitySchema } from './identity-store.ts';
import { receiptActions } from './receipt-api.ts';
import type { ReceiptRule } from './receipt-rule.ts';
import { outgoingSchema } from './outgoing-store.ts';
import { Receiving } from './receiving.ts';
import { sesResources } from './resources.ts';
import { tryRule } from './rule-setup.ts';
import { RuleStore, ruleSchema } from './rule-store.ts';
import { quotaSchema } from './send-quota.ts';
import { LARGEST_SEND_REQUEST, Sending } from './sending.ts';

const namespace = 'http://ses.amazonaws.com/doc/2010-12-01/';

/** Amazon SES: receiving (as the SMTP server's taker of mail), rules, identities, their two control APIs, and sending. */
export class Ses implements Service {
  readonly scopes = ['ses'];
  readonly resources: readonly ResourceType[];
  readonly identities: IdentityStore;
  readonly rules: RuleStore;
  /** What stands behind the SMTP server. */
  readonly receiving: Receiving;
  readonly sending: Sending;
  readonly #cloud: Cloud;
  readonly #database: DatabaseSync;
  /** All control calls share one request per second, and no increase is to be had. */
  readonly #rate: RateLimit;
  readonly #tryRule: (set: string, rule: ReceiptRule) => Promise<void>;

  constructor(options: { cloud: Cloud; names: NameService; objects: ObjectStore; topics: Topics }) {
    const { cloud, names, objects, topics } = options;
    this.#cloud = cloud;
    this.#database = openDatabase(cloud, 'ses', ruleSchema + identitySchema + outgoingSchema + quotaSchema);
    this.#rate = new RateLimit(cloud, 1, 'Throttling');
    this.rules = new RuleStore(this.#database, () => cloud.clock.now());
    this.identities = new IdentityStore(cloud, this.#database, names);
    this.#tryRule = (set, rule) => tryRule(options, set, rule);
    const { rules, identities } = this;
    const configurationSets = new Set<string>();
    this.resources = sesResources({ rules, identities, configurationSets, tryRule: this.#tryRule });
    this.sending = new Sending({ cloud, names, identities, database: this.#database, configurationSets });
    this.receiving = new Receiving({ cloud, rules, identities, resolve: resolverOf(names), objects, topics });
  }

  /** Publishes the identities of an earlier run; to be awaited before anything asks DNS. */
  async start(): Promise<void> {
    await this.identities.load();
    await this.sending.load();
  }

  async stop(): Promise<void> {
    await this.sending.deliveries.stop();
    this.#database.close();
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    const second = request.path.startsWith('/v2/');
    try {
      if (!this.#database.isOpen)
        throw new AwsError('ServiceUnavailable', 'SES is stopping', { status: 503 });
      return await (second ? this.#second(request) : this.#first(request));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return second ? jsonError(secondName(error)) : queryError(namespace, error);
    }
  }

  async #first(request: ServiceRequest): Promise<ServiceResponse> {
    const form = new URLSearchParams(await readText(request.body));
    const action = form.get('Action') ?? '';
    if (!Object.hasOwn(receiptActions, action)) {
      throw new AwsError('InvalidAction', `The local SES does not know the action ${action}.`);
    }
    const input = readQuery(form);
    return this.#counted(request, action, async () => {
      this.#admit(request, action, '*');
      const run = receiptActions[action as keyof typeof receiptActions];
      return queryAnswer(
        namespace,
        action,
        await Promise.resolve(run({ rules: this.rules, tryRule: this.#tryRule }, input)),
      );
    });
  }

  async #second(request: ServiceRequest): Promise<ServiceResponse> {
    if (request.method === 'POST' && request.path === '/v2/email/outbound-emails') return this.#send(request);
    const body = await readText(request.body);
    const { identities, sending } = this;
    const operation = identityOperation(
      { cloud: this.#cloud, identities, quota: sending.quota },
      request,
      body,
    );
    if (operation === undefined) {
      const what = `${request.method} ${request.path}`;
      throw new AwsError('UnknownOperationException', `The local SES does not know ${what}.`, {
        status: 404,
      });
    }
    return this.#counted(request, operation.action, () => {
      this.#admit(request, operation.action, operation.resource);
      return jsonAnswer(operation.run());
    });
  }

  /** Has a rate of its own ("Service quotas in Amazon SES"). */
  #send(request: ServiceRequest): Promise<ServiceResponse> {
    return this.#counted(request, 'SendEmail', async () => {
      const body = await readText(request.body, LARGEST_SEND_REQUEST);
      return jsonAnswer(await this.sending.send(request.caller, body));
    });
  }

  #admit(request: ServiceRequest, action: string, resource: string): void {
    this.#rate.take();
    this.#cloud.authorize({ caller: request.caller, action: `ses:${action}`, resource });
  }

  async #counted(
    request: ServiceRequest,
    action: string,
    run: () => ServiceResponse | Promise<ServiceResponse>,
  ) {
    const call = { service: 'ses', action, by: callerName(request.caller) };
    try {
      const response = await run();
      this.#cloud.record(call);
      return response;
    } catch (error) {
      this.#cloud.record({ ...call, error: (error as Error).name });
      throw error;
    }
  }
}

/** The second API names these two differently. */
function secondName(error: AwsError): AwsError {
  const names: Record<string, [string, number]> = {
    Throttling: ['TooManyRequestsException', 429],
    AccessDenied: ['AccessDeniedException', 403],
  };
  const [code, status] = names[error.code] ?? [error.code, error.status];
  return new AwsError(code, error.message, { status, fields: error.fields });
}
