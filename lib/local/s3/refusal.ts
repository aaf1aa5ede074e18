import { AwsError } from '../aws-error.ts';
import type { Version } from './version-index.ts';

/** An error whose answer has headers of its own. */
export class Refusal extends AwsError {
  readonly headers: Record<string, string>;

  constructor(
    code: string,
    message: string,
    options: { status: number; fields: Record<string, unknown>; headers: Record<string, string> },
  ) {
    super(code, message, options);
    this.headers = options.headers;
  }
}

/** The answer to who asks for what is not there, or is a delete marker. */
export function missing(
  key: string,
  version: string | undefined,
  marker: { row?: Version } | undefined,
): AwsError {
  const headers: Record<string, string> = {};
  if (marker?.row !== undefined) {
    Object.assign(headers, { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker.row.version });
  }
  if (version === undefined) {
    const fields = { Key: key };
    return new Refusal('NoSuchKey', 'The specified key does not exist.', { status: 404, fields, headers });
  }
  if (marker?.row !== undefined) {
    const message = 'The specified method is not allowed against this resource.';
    const about = { 'last-modified': new Date(marker.row.modified).toUTCString(), allow: 'DELETE' };
    const fields = { ResourceType: 'DeleteMarker' };
    return new Refusal('MethodNotAllowed', message, {
      status: 405,
      fields,
      headers: { ...headers, ...about },
    });
  }
  const fields = { Key: key, VersionId: version };
  return new AwsError('NoSuchVersion', 'The specified version does not exist.', { status: 404, fields });
}
