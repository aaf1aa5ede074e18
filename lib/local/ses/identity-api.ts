import { AwsError } from '../aws-error.ts';
import type { Cloud, ServiceRequest, ServiceResponse } from '../cloud.ts';
import type { Identity, IdentityStore } from './identity-store.ts';
import type { SendQuota } from './send-quota.ts';

interface Deps {
  cloud: Cloud;
  identities: IdentityStore;
  quota: SendQuota;
}
interface Operation {
  action: string;
  resource: string;
  run: () => object;
}

/** What a listing asks for, in its query or its body. */
type Page = { NextToken?: unknown; PageSize?: unknown; Filter?: unknown };

/** The operation a request of SES's second API names; `undefined` where there is none of that path here. */
export function identityOperation(deps: Deps, request: ServiceRequest, body: string): Operation | undefined {
  if (request.method === 'POST' && request.path === '/v2/email/list-identities') {
    return { action: 'ListEmailIdentities', resource: '*', run: () => list(deps, readPage(body)) };
  }
  if (request.method !== 'GET') return undefined;
  if (request.path === '/v2/email/account')
    return { action: 'GetAccount', resource: '*', run: () => account(deps) };
  if (request.path === '/v2/email/identities') {
    return {
      action: 'ListEmailIdentities',
      resource: '*',
      run: () => list(deps, Object.fromEntries(request.query)),
    };
  }
  const [, encoded] = /^\/v2\/email\/identities\/([^/]+)$/.exec(request.path) ?? [];
  if (encoded === undefined) return undefined;
  const name = decodeURIComponent(encoded);
  const resource = `arn:aws:ses:${deps.cloud.region}:${deps.cloud.account}:identity/${name}`;
  return { action: 'GetEmailIdentity', resource, run: () => describe(deps, name) };
}

export const jsonAnswer = (content: object): ServiceResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(content),
});

export const jsonError = (error: AwsError): ServiceResponse => ({
  status: error.status,
  headers: { 'content-type': 'application/json', 'x-amzn-errortype': error.code },
  body: JSON.stringify({ message: error.message, ...error.fields }),
});

/** An account out of the sandbox, with the quota AWS starts such accounts with. */
const account = ({ quota }: Deps) => ({
  DedicatedIpAutoWarmupEnabled: false,
  EnforcementStatus: 'HEALTHY',
  ProductionAccessEnabled: true,
  SendQuota: quota.state,
  SendingEnabled: true,
  SuppressionAttributes: { SuppressedReasons: ['BOUNCE', 'COMPLAINT'] },
});

function readPage(body: string): Page {
  try {
    return JSON.parse(body === '' ? '{}' : body) as Page;
  } catch {
    throw new AwsError('BadRequestException', 'The body is not JSON.');
  }
}

function list({ identities }: Deps, page: Page): object {
  if (page.Filter !== undefined && Object.keys(page.Filter as object).length > 0) {
    throw new AwsError('BadRequestException', 'The local SES lists identities without a filter only.');
  }
  const all = identities.list();
  const size = Math.min(1000, Number(page.PageSize ?? 100) || 100);
  const start = Number(page.NextToken ?? 0);
  if (!Number.isInteger(start) || start < 0)
    throw new AwsError('BadRequestException', 'NextToken is not valid');
  return {
    EmailIdentities: all.slice(start, start + size).map((identity) => ({
      IdentityName: identity.name,
      IdentityType: identityType(identity),
      SendingEnabled: true,
      VerificationStatus: identities.isVerified(identity) ? 'SUCCESS' : 'PENDING',
    })),
    ...(start + size < all.length ? { NextToken: String(start + size) } : {}),
  };
}

function describe({ identities }: Deps, name: string): object {
  const identity = identities.find(name);
  if (identity === undefined) {
    throw new AwsError('NotFoundException', `Email identity ${name} does not exist.`, { status: 404 });
  }
  const verified = identities.isVerified(identity);
  return {
    IdentityType: identityType(identity),
    FeedbackForwardingStatus: identity.feedbackForwarding,
    VerifiedForSendingStatus: verified,
    VerificationStatus: verified ? 'SUCCESS' : 'PENDING',
    DkimAttributes: {
      SigningEnabled: identity.dkimSigning,
      Status: verified ? 'SUCCESS' : 'PENDING',
      Tokens: identity.tokens,
      SigningAttributesOrigin: 'AWS_SES',
      NextSigningKeyLength: 'RSA_2048_BIT',
      CurrentSigningKeyLength: 'RSA_2048_BIT',
      LastKeyGenerationTimestamp: identity.createdAt / 1000,
    },
    ...(identity.mailFrom === undefined
      ? {}
      : {
          MailFromAttributes: {
            MailFromDomain: identity.mailFrom.domain,
            MailFromDomainStatus: identities.mailFromWorks(identity) ? 'SUCCESS' : 'PENDING',
            BehaviorOnMxFailure: identity.mailFrom.onMxFailure,
          },
        }),
    ...(identity.configurationSet === undefined ? {} : { ConfigurationSetName: identity.configurationSet }),
    Policies: {},
    Tags: [],
  };
}

const identityType = ({ name }: Identity) => (name.includes('@') ? 'EMAIL_ADDRESS' : 'DOMAIN');
