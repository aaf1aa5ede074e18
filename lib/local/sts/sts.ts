import { AwsError } from '../aws-error.ts';
import { callerName } from '../caller-name.ts';
import type { Cloud, Service, ServiceRequest, ServiceResponse } from '../cloud.ts';
import type { AccessKeys } from '../iam/access-keys.ts';
import { queryAnswer, queryError, readQuery, readText, type QueryValue } from '../query-protocol.ts';
import type { XmlContent } from '../xml-element.ts';
import { assumeRole } from './assume-role.ts';
import { callerIdentity } from './caller-identity.ts';

const version = '2011-06-15';
const namespace = `https://sts.amazonaws.com/doc/${version}/`;

type Input = Record<string, QueryValue>;
type Operation = (request: ServiceRequest, input: Input) => { [name: string]: XmlContent };

/** AWS STS: sessions of roles, and who a caller is. */
export class Sts implements Service {
  readonly scopes = ['sts'];
  readonly resources = [];
  readonly #cloud: Cloud;
  readonly #operations: Record<string, Operation>;

  constructor(cloud: Cloud, keys: AccessKeys) {
    this.#cloud = cloud;
    this.#operations = {
      AssumeRole: ({ caller }, input) => assumeRole(keys, caller, input),
      // Needs no permission, and no policy can forbid it.
      GetCallerIdentity: ({ caller }) => callerIdentity(caller, cloud.account),
    };
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    try {
      return this.#answer(request, new URLSearchParams(await readText(request.body)));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return queryError(namespace, error);
    }
  }

  async stop(): Promise<void> {}

  #answer(request: ServiceRequest, form: URLSearchParams): ServiceResponse {
    const { Action: name, Version, ...input } = readQuery(form);
    const action = typeof name === 'string' ? name : '';
    const operation = Object.hasOwn(this.#operations, action) ? this.#operations[action] : undefined;
    if (operation === undefined || Version !== version) {
      const known = Object.keys(this.#operations).join(' and ');
      const asked = `Could not find operation ${action} for version ${form.get('Version') ?? ''}`;
      throw new AwsError('InvalidAction', `${asked}; the local STS has ${known} of ${version}.`);
    }
    const call = { service: 'sts', action, by: callerName(request.caller) };
    try {
      if (this.#cloud.weather.strikes('throttle')) throw new AwsError('Throttling', 'Rate exceeded');
      const result = operation(request, input);
      this.#cloud.record(call);
      return queryAnswer(namespace, action, result);
    } catch (error) {
      this.#cloud.record({ ...call, error: (error as Error).name });
      throw error;
    }
  }
}
