import { AwsError } from '../aws-error.ts';

/** Quotas of Lambda, in bytes unless named otherwise (Lambda developer guide, "Lambda quotas"). */
export const limits = {
  syncRequest: 6 * 1024 * 1024,
  asyncRequest: 1024 * 1024,
  /** The service allows a hundred bytes above 6 MB. */
  response: 6 * 1024 * 1024 + 100,
  environment: 4 * 1024,
  resourcePolicy: 20 * 1024,
} as const;

/** Throws RequestTooLargeException (413) for an event (JSON text) above the limit of its kind of invocation. */
export function checkRequestSize(payload: string, type: 'sync' | 'event'): void {
  const limit = type === 'sync' ? limits.syncRequest : limits.asyncRequest;
  if (Buffer.byteLength(payload) <= limit) return;
  const message = `Request must be smaller than ${limit} bytes for the InvokeFunction operation`;
  throw new AwsError('RequestTooLargeException', message, { status: 413 });
}
