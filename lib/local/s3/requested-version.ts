import { AwsError } from '../aws-error.ts';
import { isVersionId } from './version-index.ts';

/** The version a request names by `versionId`; InvalidArgument (400) for what no version is called. */
export function requestedVersion(query: URLSearchParams): string | undefined {
  const version = query.get('versionId');
  return version === null ? undefined : checkedVersion(version);
}

export function checkedVersion(version: string): string {
  if (isVersionId(version)) return version;
  const fields = { ArgumentName: 'versionId', ArgumentValue: version };
  throw new AwsError('InvalidArgument', 'Invalid version id specified', { fields });
}
