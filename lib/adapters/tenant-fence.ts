import { AsyncLocalStorage } from 'node:async_hooks';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { openDatabase, type Database } from './dynamo/client.ts';

/** Seconds. A role that is assumed from a role lasts an hour at most. */
const sessionSeconds = 3600;
/** A session is renewed while it has this long to go, in milliseconds, so that the URLs it signs last at least as long. */
const renewBefore = 30 * 60_000;
/** Organizations whose sessions one instance keeps; the one used longest ago leaves. */
const mostSessions = 200;

interface Session {
  dynamo: DynamoDBDocumentClient;
  s3: S3Client;
  /** Milliseconds since the epoch. */
  expires: number;
}

export interface TenantFence {
  /** Does the work with credentials that reach one organization's rows and objects alone. */
  within<T>(organizationId: string, work: () => Promise<T>): Promise<T>;
  /** The table through those credentials; outside of `within` there are none, and it throws. */
  database: Database;
  s3: () => S3Client;
  /** When they end, and with them the URLs they signed; milliseconds since the epoch. */
  ends: () => number | undefined;
}

/**
 * A wall between tenants that no bug of ours crosses: the role may touch what begins with the organization in the
 * session's tag and nothing else, and the tag is the caller's organization, whatever key a query was built with. A
 * session costs two calls of STS an hour for each organization and instance in use, which are free. Without a role everything
 * goes through the function's own credentials.
 */
export function tenantFence(options: { tableName: string; roleArn: string; now: () => number }): TenantFence {
  const { tableName, roleArn, now } = options;
  if (roleArn === '') {
    const [database, s3] = [openDatabase(tableName), new S3Client({})];
    return { within: (_, work) => work(), database, s3: () => s3, ends: () => undefined };
  }
  const sts = new STSClient({});
  const sessions = new Map<string, Promise<Session>>();
  const current = new AsyncLocalStorage<Session>();

  const open = async (organizationId: string): Promise<Session> => {
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: organizationId,
        DurationSeconds: sessionSeconds,
        Tags: [{ Key: 'organization', Value: organizationId }],
      }),
    );
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials!;
    const credentials = {
      accessKeyId: AccessKeyId!,
      secretAccessKey: SecretAccessKey!,
      sessionToken: SessionToken!,
    };
    const { client } = openDatabase(tableName, new DynamoDBClient({ credentials }));
    return { dynamo: client, s3: new S3Client({ credentials }), expires: Expiration!.getTime() };
  };

  const sessionOf = async (organizationId: string): Promise<Session> => {
    const kept = sessions.get(organizationId);
    const session = await kept;
    sessions.delete(organizationId);
    if (kept !== undefined && session !== undefined && session.expires - now() > renewBefore) {
      sessions.set(organizationId, kept);
      return session;
    }
    const opened = open(organizationId);
    sessions.set(organizationId, opened);
    opened.catch(() => sessions.delete(organizationId));
    if (sessions.size > mostSessions) sessions.delete(sessions.keys().next().value as string);
    return opened;
  };

  const session = (): Session => {
    const found = current.getStore();
    if (found === undefined) throw new Error('nobody said whose rows these are');
    return found;
  };

  return {
    within: async (organizationId, work) => current.run(await sessionOf(organizationId), work),
    database: {
      tableName,
      get client() {
        return session().dynamo;
      },
    },
    s3: () => session().s3,
    ends: () => session().expires,
  };
}
