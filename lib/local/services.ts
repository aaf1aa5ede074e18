import { createHash } from 'node:crypto';
import type { Caller, Cloud, Service } from './cloud.ts';
import { DynamoDb } from './dynamodb/dynamodb.ts';
import { Endpoint } from './endpoint/endpoint.ts';
import { SignatureError } from './endpoint/signature-error.ts';
import { verifySignature, type SignatureRules } from './endpoint/verify-signature.ts';
import { Events } from './events/events.ts';
import type { SignedRequest } from './http-api/api.ts';
import { HttpApi } from './http-api/http-api.ts';
import type { AccessKeys } from './iam/access-keys.ts';
import type { CodeRoots } from './lambda/function-code.ts';
import { Lambda } from './lambda/lambda.ts';
import { MailWorld } from './mail-world.ts';
import { S3 } from './s3/s3.ts';
import { Sns } from './sns/sns.ts';
import { Sqs } from './sqs/sqs.ts';
import { Sts } from './sts/sts.ts';

export interface ServicesOptions {
  cloud: Cloud;
  keys: AccessKeys;
  /** Port of the HTTP API; 0 takes any free one. */
  port: number;
  /** The mail domain, whose zone Route 53 has from the start. */
  domain: string;
  code: CodeRoots;
  /** Port of the DNS server once it listens. */
  dnsPort(): number | undefined;
  /** Prints every line a function writes. */
  verbose: boolean;
}

export type Services = ReturnType<typeof assemble>;

/** Every service of the local cloud, wired to the ones it calls; nothing listens yet. */
export function assemble({ cloud, keys, port, domain, code, dnsPort, verbose }: ServicesOptions) {
  const s3 = new S3(cloud);
  const dynamoDb = new DynamoDb(cloud);
  const sqs = new Sqs(cloud, () => endpoint.url);
  const sns = new Sns(cloud, sqs);
  const lambda = new Lambda({
    cloud,
    issueKeys: (roleArn, functionName) => keys.issueKeys(roleArn, functionName),
    retireKeys: (accessKeyId) => keys.retire(accessKeyId),
    endpointUrl: () => endpoint.url,
    dnsPort,
    code,
    queues: sqs,
    streams: dynamoDb,
    grace: 1_500,
    verbose,
  });
  const events = new Events(cloud, sqs, {
    async deliver(targetArn, event, caller) {
      await lambda.invoke(targetArn, event, caller, { type: 'event' });
    },
  });
  const mail = new MailWorld({ cloud, domain, objects: s3, topics: sns });
  const rules: SignatureRules = { keys, clock: cloud.clock, region: cloud.region };
  const verify = (request: SignedRequest) => apiCaller(request, rules, cloud);
  const httpApi = new HttpApi({ cloud, lambda, port, verifySignature: verify });
  const sts = new Sts(cloud, keys);
  const services: Service[] = [s3, dynamoDb, sqs, sns, sts, lambda, events, ...mail.services, httpApi];
  const endpoint: Endpoint = new Endpoint({
    ...rules,
    services,
    isActive: (accessKeyId, token) => lambda.isActive(keys.instanceKey(accessKeyId, token)),
    onStrayCall: (call) => lambda.reportStrayCall(call),
    print: (line) => cloud.print(line),
  });
  return { s3, dynamoDb, sqs, sns, lambda, events, mail, httpApi, endpoint, all: services };
}

/** Who signed a request to the HTTP API; the caller hears only 403, the terminal why. */
function apiCaller(request: SignedRequest, rules: SignatureRules, cloud: Cloud): Caller | undefined {
  try {
    const hash = createHash('sha256').update(request.body).digest('hex');
    const { caller, service } = verifySignature(request, hash, rules);
    if (service === 'execute-api') return caller;
    throw new SignatureError('malformed', `the credential is scoped to ${service}, not to execute-api`);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    cloud.print(
      `refused: the signature of ${request.method} ${request.path}: ${error.message.split('\n')[0]}`,
    );
    return undefined;
  }
}

/**
 * Stops what takes calls before what answers them, in at most 5 s. Answers the failures instead of throwing, so that
 * each service is stopped whatever became of the others.
 */
export async function stopServices(services: Services): Promise<Error[]> {
  const { s3, dynamoDb, sqs, sns, lambda, events, mail, httpApi, endpoint } = services;
  const failures: Error[] = [];
  const stop = async (...parts: { stop(): Promise<void> }[]) => {
    const results = await Promise.allSettled(parts.map((part) => part.stop()));
    failures.push(...results.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : [])));
  };
  await stop(httpApi, mail);
  await stop(events, lambda);
  await stop(sns, endpoint);
  await stop(sqs, s3, dynamoDb);
  return failures;
}
