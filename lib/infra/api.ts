import { Duration, Lazy, Stack, Validations } from 'aws-cdk-lib';
import { AccessLogFormat, AccessLogField } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Env as ApiEnv } from '../../lambdas/api/env.ts';
import type { Env as HealthEnv } from '../../lambdas/health/env.ts';
import type { Env as OperatorEnv } from '../../lambdas/operator/env.ts';
import { keepsLedger } from './append-only.ts';
import type { Config } from './config.ts';
import type { MailDomain } from './mail-domain.ts';
import { incomingPrefix, type MailStore } from './mail-store.ts';
import { NodeFunction, removal } from './node-function.ts';
import { TenantRole } from './tenant-role.ts';

// An HTTP API waits 30 s at most.
const timeout = Duration.seconds(29);

// No query string, no address, no user agent: a token may stand in a query.
const accessLog = AccessLogFormat.custom(
  JSON.stringify({
    time: AccessLogField.contextRequestTimeEpoch(),
    requestId: AccessLogField.contextRequestId(),
    method: AccessLogField.contextHttpMethod(),
    path: AccessLogField.contextPath(),
    status: AccessLogField.contextStatus(),
    length: AccessLogField.contextResponseLength(),
    latency: AccessLogField.contextResponseLatency(),
    error: AccessLogField.contextIntegrationErrorMessage(),
  }),
);

/** The HTTP API: three routes, and the functions behind them. */
export class Api extends Construct {
  readonly http: HttpApi;
  readonly api: NodeFunction<ApiEnv>;
  readonly operator: NodeFunction<OperatorEnv>;
  readonly health: NodeFunction<HealthEnv>;

  constructor(scope: Construct, id: string, config: Config, store: MailStore, domain: MailDomain) {
    super(scope, id);
    this.http = new HttpApi(this, 'http', { apiName: Stack.of(this).stackName, createDefaultStage: false });
    this.#stage(config);
    this.api = this.#api(config, store, domain);
    this.operator = this.#operator(config, store);
    this.health = new NodeFunction<HealthEnv>(this, 'health', {
      config,
      environment: {},
      description: 'Answers whether the door opens',
      errorImpact: 'Nothing of a user; monitors report the API as down.',
      memory: 128,
      timeout: Duration.seconds(5),
    });
    this.#routes();
  }

  #stage(config: Config): void {
    new HttpStage(this, 'stage', {
      httpApi: this.http,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: 2000, burstLimit: 2000 },
      accessLogSettings: {
        destination: new LogGroupLogDestination(
          new LogGroup(this, 'access-logs', {
            retention: config.logRetentionDays,
            removalPolicy: removal(config),
          }),
        ),
        format: accessLog,
      },
    });
  }

  #routes(): void {
    const route = (
      path: string,
      method: HttpMethod,
      { function: fn, node }: NodeFunction<never>,
      iam = false,
    ) =>
      this.http.addRoutes({
        path,
        methods: [method],
        integration: new HttpLambdaIntegration(`${node.id}-integration`, fn),
        ...(iam && { authorizer: new HttpIamAuthorizer() }),
      });
    route('/v0/operator/{proxy+}', HttpMethod.ANY, this.operator, true);
    const open = [
      ...route('/v0/{proxy+}', HttpMethod.ANY, this.api),
      ...route('/health', HttpMethod.GET, this.health),
    ];
    for (const one of open) {
      Validations.of(one).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason:
          'Agents sign with RFC 9421, which only the function that has the body can check; health tells nothing.',
      });
    }
  }

  #api(config: Config, store: MailStore, domain: MailDomain): NodeFunction<ApiEnv> {
    const { table, indexArns, bucket } = store;
    let tenant: TenantRole | undefined = undefined as TenantRole | undefined;
    const api = new NodeFunction<ApiEnv>(this, 'api', {
      config,
      environment: {
        TABLE_NAME: table.tableName,
        BUCKET_NAME: bucket.bucketName,
        TENANT_ROLE_ARN: Lazy.string({ produce: () => tenant?.arn ?? '' }),
        MAIL_DOMAIN: config.mailDomain,
        PUBLIC_ORIGINS: (config.publicOrigins ?? [this.http.apiEndpoint]).join(' '),
        DNS_RECORDS: Stack.of(this).toJsonString(domain.records),
        QUARANTINE_DAYS: String(config.quarantineDays),
        EXPIRY_NOTICE_MINUTES: String(config.expiryNoticeMinutes),
        ALLOW_LOOPBACK_WEBHOOKS: config.stage === 'local' ? 'true' : 'false',
      },
      description: 'Answers the calls of agents and developers',
      errorImpact: 'Calls of agents end in 500; mail keeps arriving and waits in its inbox.',
      memory: 1024,
      timeout,
    });
    api.allow({ actions: readAndWrite, on: [table.tableArn] });
    keepsLedger(api, table.tableArn);
    if (config.tenantFence) {
      // Its own credentials find out who calls and note it; what lies in an inbox they do not reach.
      api.deny(readAndWrite, [table.tableArn], {
        'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': ['O#*#I#*', 'O#*#T#*'] },
      });
      tenant = new TenantRole(this, 'tenant', api.role, store);
      api.allow({ actions: ['sts:AssumeRole', 'sts:TagSession'], on: [tenant.arn] });
      return api;
    }
    api.allow({ actions: ['dynamodb:Query'], on: indexArns });
    api.allow({
      actions: ['s3:GetObject'],
      on: [bucket.arnForObjects('*')],
      because: 'Mail objects lie under the organization they belong to, and any organization may call.',
    });
    // What is there belongs to nobody yet.
    api.deny(['s3:GetObject'], [bucket.arnForObjects(`${incomingPrefix}*`)]);
    return api;
  }

  #operator(config: Config, { table }: MailStore): NodeFunction<OperatorEnv> {
    const operator = new NodeFunction<OperatorEnv>(this, 'operator', {
      config,
      environment: { TABLE_NAME: table.tableName, MAIL_DOMAIN: config.mailDomain },
      description: 'Answers the calls of the operator',
      errorImpact: 'The operator cannot create organizations, issue keys or read undeliverable mail.',
      memory: 512,
      timeout,
    });
    keepsLedger(operator, table.tableArn);
    operator.allow({ actions: makeAndRead, on: [table.tableArn] });
    // Organizations and keys are changed; nothing else the operator reaches is.
    operator.allow({
      actions: onTable('UpdateItem'),
      on: [table.tableArn],
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['O#*', 'KEY#*'] } },
    });
    // Erasure of personal facts behind the ledger, and the listings of a revoked key; no lookup row.
    operator.allow({
      actions: onTable('DeleteItem'),
      on: [table.tableArn],
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['O#*'] } },
    });
    return operator;
  }
}

// Transactions have no action of their own: each item is checked by its kind of write.
const onTable = (...actions: string[]) => actions.map((action) => `dynamodb:${action}`);
const makeAndRead = onTable('GetItem', 'BatchGetItem', 'Query', 'PutItem', 'ConditionCheckItem');
const readAndWrite = [...makeAndRead, ...onTable('UpdateItem', 'DeleteItem')];
