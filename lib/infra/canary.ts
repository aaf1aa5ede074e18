import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { Env as HearEnv } from '../../lambdas/hear-canary/env.ts';
import type { Env as SendEnv } from '../../lambdas/send-canary/env.ts';
import { canaryAddress, operatorAddresses } from '../contract/operator-address.ts';
import { operatorOrganizationId } from '../contract/organization.ts';
import { eventSource, type Announce } from './announce.ts';
import { keepsLedger } from './append-only.ts';
import type { Config } from './config.ts';
import type { MailDomain } from './mail-domain.ts';
import type { MailStore } from './mail-store.ts';
import { NodeFunction } from './node-function.ts';

interface Around {
  store: MailStore;
  domain: MailDomain;
  announce: Announce;
}

/** The deployment mails itself: schedule → `send-canary` → SES → … → bus → `hear-canary`, which counts what came. */
export class Canary extends Construct {
  readonly send: NodeFunction<SendEnv>;
  readonly hear: NodeFunction<HearEnv>;

  constructor(scope: Construct, id: string, config: Config, { store, domain, announce }: Around) {
    super(scope, id);
    const { mailDomain } = config;
    const address = canaryAddress(mailDomain);
    this.send = new NodeFunction<SendEnv>(this, 'send-canary', {
      config,
      environment: { TABLE_NAME: store.table.tableName, MAIL_DOMAIN: mailDomain },
      description: 'Sends the deployment a mail',
      errorImpact: 'Nothing, but nobody would be told when mail no longer comes in.',
      memory: 512,
      timeout: Duration.seconds(30),
    });
    this.#grants(store.table.tableArn, mailDomain);
    this.send.allow({
      actions: ['ses:SendEmail'],
      on: [domain.identityArn],
      conditions: {
        StringEquals: { 'ses:FromAddress': address },
        'ForAllValues:StringEquals': { 'ses:Recipients': [address] },
      },
    });
    new Rule(this, 'schedule', {
      description: 'Starts send-canary',
      schedule: Schedule.rate(Duration.minutes(config.canaryMinutes)),
      targets: [new LambdaFunction(this.send.function)],
    });
    this.hear = new NodeFunction<HearEnv>(this, 'hear-canary', {
      config,
      environment: { MAIL_DOMAIN: mailDomain },
      description: 'Counts the mails of the deployment to itself that came all the way',
      errorImpact: 'Nothing, but the canary seems silent.',
      memory: 256,
      timeout: Duration.seconds(10),
    });
    new Rule(this, 'arrival', {
      description: 'Tells hear-canary of mail in the inbox of the canary',
      eventBus: announce.bus,
      eventPattern: {
        source: [eventSource],
        detailType: ['message.received'],
        detail: { inbox_id: [address], from: [address] },
      },
      targets: [new LambdaFunction(this.hear.function)],
    });
  }

  /** It looks for its inbox, and makes it when it is not there, with the operator's mailroom around it. */
  #grants(tableArn: string, mailDomain: string): void {
    const addresses = [canaryAddress(mailDomain), ...operatorAddresses(mailDomain)];
    this.send.allow({
      actions: ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      on: [tableArn],
      conditions: {
        'ForAllValues:StringLike': {
          'dynamodb:LeadingKeys': [
            ...addresses.map((address) => `ADDR#${address}`),
            `O#${operatorOrganizationId}*`,
            'ORGS',
            'DUE#*',
          ],
        },
      },
    });
    keepsLedger(this.send, tableArn);
  }
}
