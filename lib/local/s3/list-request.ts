import { AwsError } from '../aws-error.ts';

/** What every kind of listing can be asked for. */
export interface ListRequest {
  /** Empty for none, as is the delimiter. */
  prefix: string;
  delimiter: string;
  maxKeys: number;
  /** A key as the answer is to write it. */
  encoded(key: string | Buffer): string;
  /** Condition keys. */
  context: Record<string, string>;
}

export function listRequest(query: URLSearchParams): ListRequest {
  const [prefix, delimiter] = [query.get('prefix'), query.get('delimiter')];
  const maxKeys = pageSize(query.get('max-keys'));
  return {
    prefix: prefix ?? '',
    delimiter: delimiter ?? '',
    maxKeys,
    encoded: encoder(query.get('encoding-type')),
    context: {
      ...(prefix !== null && { 's3:prefix': prefix }),
      ...(delimiter !== null && { 's3:delimiter': delimiter }),
      ...(query.has('max-keys') && { 's3:max-keys': String(maxKeys) }),
    },
  };
}

function pageSize(stated: string | null): number {
  if (stated === null) return 1000;
  if (!/^\d{1,10}$/.test(stated))
    throw new AwsError('InvalidArgument', `max-keys is not a number: ${stated}`);
  return Math.min(1000, Number(stated));
}

function encoder(type: string | null): ListRequest['encoded'] {
  if (type === null) return (key) => key.toString();
  if (type !== 'url') throw new AwsError('InvalidArgument', 'Invalid Encoding Method specified in Request');
  return (key) => encodeURIComponent(key.toString()).replaceAll('%2F', '/');
}
