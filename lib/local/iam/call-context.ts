import type { Access, Caller } from '../cloud.ts';
import type { Context } from './wildcard.ts';

export interface CallPlace {
  account: string;
  region: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** The tags of the caller's role; a session tag of the same key stands before them. */
  roleTags?: Readonly<Record<string, string>>;
}

/** Every condition key's value for one call; what the service says of it wins over what is general. */
export function callContext({ caller, context = {} }: Access, place: CallPlace): Context {
  const values = new Map<string, readonly string[]>();
  const general = {
    'aws:SecureTransport': 'true',
    'aws:CurrentTime': new Date(place.now).toISOString(),
    'aws:EpochTime': String(Math.floor(place.now / 1000)),
    'aws:RequestedRegion': place.region,
    'aws:ResourceAccount': place.account,
    'aws:PrincipalIsAWSService': String(caller.kind === 'service'),
    ...ofCaller(caller, place),
  };
  // Keys are alike whatever their case, so a later one of this list replaces an earlier one.
  for (const [key, value] of Object.entries<string | string[] | undefined>({ ...general, ...context })) {
    if (value !== undefined) values.set(key.toLowerCase(), [value].flat());
  }
  return values;
}

function ofCaller(caller: Caller, { account, roleTags }: CallPlace): Record<string, string | undefined> {
  switch (caller.kind) {
    case 'role':
      return {
        'aws:PrincipalArn': caller.roleArn,
        'aws:PrincipalAccount': account,
        'aws:PrincipalType': 'AssumedRole',
        'aws:SourceIp': '127.0.0.1',
        ...tagKeys('aws:PrincipalTag', roleTags),
        ...tagKeys('aws:PrincipalTag', caller.tags),
      };
    case 'operator':
      return {
        'aws:PrincipalArn': caller.arn,
        'aws:PrincipalAccount': account,
        'aws:PrincipalType': 'User',
        'aws:username': caller.arn.slice(caller.arn.lastIndexOf('/') + 1),
        'aws:SourceIp': '127.0.0.1',
      };
    case 'service':
      return {
        'aws:PrincipalServiceName': caller.service,
        'aws:SourceArn': caller.sourceArn,
        'aws:SourceAccount': caller.sourceAccount,
        'aws:SourceOwner': caller.sourceAccount,
      };
    case 'anonymous':
      return { 'aws:PrincipalType': 'Anonymous', 'aws:SourceIp': '127.0.0.1' };
  }
}

/** Tags as condition keys: `aws:PrincipalTag/<key>`. */
export function tagKeys(
  prefix: 'aws:PrincipalTag' | 'aws:RequestTag',
  tags: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`${prefix}/${key}`, value]));
}
