import type { Clock } from './clock.ts';
import { CallLedger } from './call-ledger.ts';
import type { Cloud } from './cloud.ts';
import type { SenderKey } from './dns/outside-world.ts';
import { lockHome } from './home-lock.ts';
import { AccessKeys } from './iam/access-keys.ts';
import { Iam } from './iam/iam.ts';
import { lintPolicies } from './iam/lint.ts';
import type { CodeRoots } from './lambda/function-code.ts';
import { assemble, stopServices, type Services } from './services.ts';
import { CustomResources } from './template/custom-resource.ts';
import { deploy } from './template/deploy.ts';
import { logGroup } from './template/ignored-types.ts';
import { StackState } from './template/stack-state.ts';
import { parseTemplate } from './template/template.ts';
import type { Weather } from './weather.ts';

export interface StartOptions {
  /** The synthesized CloudFormation template, as an object. */
  template: unknown;
  stackName: string;
  /** Folder for everything that survives a restart; made when it is not there. */
  home: string;
  /** Ports on 127.0.0.1; 0 takes any free one. */
  port: number;
  smtpPort: number;
  dnsPort: number;
  /** The mail domain of the template. */
  domain: string;
  region: string;
  /** Acknowledged data survives a power loss too. */
  durable: boolean;
  clock: Clock;
  weather: Weather;
  /** Where the functions' code is. */
  code: CodeRoots;
  /** Prints every line a function writes, not only its failures. */
  verbose?: boolean;
  print(line: string): void;
}

interface Address {
  host: string;
  port: number;
}

/** A running local cloud. */
export interface LocalCloud {
  /** Origin of the HTTP API, without trailing slash. */
  api: string;
  /** The one AWS endpoint. */
  aws: string;
  smtp: Address;
  dns: Address;
  operator: { access_key_id: string; secret_access_key: string; region: string };
  /** Signs mail as sender.test. */
  senderKey: SenderKey;
  clock: Clock;
  iam: Iam;
  keys: AccessKeys;
  /** What AWS would have counted. */
  calls: CallLedger;
  /** Outputs of the stack by name. */
  outputs: Record<string, string>;
  /** Names of services, as in a credential scope, that are to answer 503 for now. */
  outages: Set<string>;
  /** What Ref answers for each resource, by logical id. */
  refs: Record<string, string>;
  /** For tests: the services behind the endpoint. */
  services: Services;
  /** Ends within 5 s; may be called twice. */
  stop(): Promise<void>;
}

const account = '000000000000';

/**
 * Starts the local cloud and deploys the template. Throws HomeInUse, TemplateError, or what a service says, after
 * stopping whatever had started.
 */
export async function startCloud(options: StartOptions): Promise<LocalCloud> {
  const { home, region, clock, print } = options;
  const unlock = lockHome(home);
  let services: Services | undefined;
  const stop = once(async () => {
    const failures = services === undefined ? [] : await stopServices(services);
    clock.stop();
    unlock();
    if (failures.length > 0) throw new AggregateError(failures, 'not everything stopped cleanly');
  });
  try {
    const iam = new Iam({ account, region, clock, print });
    const keys = new AccessKeys(home, iam, clock);
    const calls = new CallLedger();
    const cloud = kernel(options, iam, calls);
    const listening: { dns?: number } = {};
    const { port, domain, code, verbose = false } = options;
    services = assemble({ cloud, keys, port, domain, code, verbose, dnsPort: () => listening.dns });
    const { endpoint, httpApi, mail, sns, events, lambda } = services;
    await endpoint.listen();
    await httpApi.listen();
    const { smtp, dns, senderKey } = await mail.start({ smtp: options.smtpPort, dns: options.dnsPort });
    listening.dns = dns.port;
    const stack = await deployStack(options, services, iam);
    sns.start();
    mail.startSending();
    events.start();
    lambda.start();
    const { accessKeyId: access_key_id, secretAccessKey: secret_access_key } = keys.operator;
    const operator = { access_key_id, secret_access_key, region };
    const ends = { api: httpApi.endpoint, aws: endpoint.url, smtp, dns, senderKey, operator };
    return { ...ends, ...stack, clock, iam, keys, calls, outages: endpoint.outages, services, stop };
  } catch (error) {
    await stop().catch((failure: Error) => print(failure.message));
    throw explained(error);
  }
}

function kernel(
  { home, region, durable, clock, weather, print }: StartOptions,
  iam: Iam,
  calls: CallLedger,
): Cloud {
  const authorize: Cloud['authorize'] = (access) => iam.authorize(access);
  const record: Cloud['record'] = (call) => calls.add(call);
  return { account, region, home, durable, clock, weather, authorize, record, print };
}

async function deployStack(
  { template, stackName, home, region, print }: StartOptions,
  services: Services,
  iam: Iam,
) {
  const { lambda, endpoint, all } = services;
  const state = new StackState(home);
  const stackId = `arn:aws:cloudformation:${region}:${account}:stack/${stackName}/${state.stackUuid}`;
  const operator = { kind: 'operator', arn: iam.operatorArn, accessKeyId: '' } as const;
  const customResources = new CustomResources({
    stackId,
    state,
    openAnswerBox: () => endpoint.answerBoxes.open(endpoint.url),
    async invoke(functionArn, event) {
      const { functionError, payload } = await lambda.invoke(functionArn, event, operator, { type: 'sync' });
      if (functionError !== undefined) throw new Error(`the function failed: ${payload}`);
    },
    print,
  });
  const { outputs, resources } = await deploy(parseTemplate(template), {
    place: { stackName, stackId, account, region },
    seed: state.seed,
    resourceTypes: [
      ...iam.resources,
      logGroup(account, region),
      ...all.flatMap((service) => service.resources),
    ],
    customResources,
    inspect: lintPolicies,
  });
  const refs = Object.fromEntries([...resources].map(([logicalId, { ref }]) => [logicalId, ref]));
  return { outputs, refs };
}

function explained(error: unknown): unknown {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code !== 'EADDRINUSE') return error;
  return new Error(`127.0.0.1:${port} is in use; choose another port, or 0 for any free one`, {
    cause: error,
  });
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}
