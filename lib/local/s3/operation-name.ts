import { AwsError } from '../aws-error.ts';

/** Query parameters that make another operation of the same method and path. */
// prettier-ignore
const subresources = [
  'abac', 'accelerate', 'acl', 'analytics', 'attributes', 'cors', 'delete', 'encryption',
  'intelligent-tiering', 'inventory', 'legal-hold', 'lifecycle', 'location', 'logging',
  'metadataConfiguration', 'metadataTable', 'metrics', 'notification', 'object-lock', 'ownershipControls',
  'policy', 'policyStatus', 'publicAccessBlock', 'renameObject', 'replication', 'requestPayment', 'restore',
  'retention', 'select', 'session', 'tagging', 'torrent', 'uploads', 'versioning', 'versions', 'website',
];

const verbs: Record<string, string> = {
  GET: 'Get',
  PUT: 'Put',
  DELETE: 'Delete',
  POST: 'Post',
  HEAD: 'Head',
};

/** The operation's name as the API reference has it; throws MethodNotAllowed (405) for a method S3 does not know. */
export function operationName(
  method: string,
  query: URLSearchParams,
  headers: Record<string, string>,
  onObject: boolean,
): string {
  if (verbs[method] === undefined) {
    throw new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
      status: 405,
    });
  }
  return onObject ? objectOperation(method, query, headers) : bucketOperation(method, query);
}

function objectOperation(method: string, query: URLSearchParams, headers: Record<string, string>): string {
  const copies = headers['x-amz-copy-source'] !== undefined;
  if (query.has('uploadId')) return uploadOperation(method, copies);
  if (method === 'POST' && query.has('uploads')) return 'CreateMultipartUpload';
  const sub = subresources.find((name) => query.has(name));
  if (sub !== undefined) return `${verbs[method]}Object${capitalized(sub)}`;
  // Reads and deletions take a version; nothing is written to one.
  if (query.has('versionId') && method === 'PUT') return 'PutObjectVersion';
  if (query.has('partNumber')) return `${verbs[method]}ObjectPart`;
  if (query.has('append')) return 'AppendObject';
  return method === 'PUT' && copies ? 'CopyObject' : `${verbs[method]}Object`;
}

function uploadOperation(method: string, copies: boolean): string {
  if (method === 'PUT') return copies ? 'UploadPartCopy' : 'UploadPart';
  const names: Record<string, string> = {
    POST: 'CompleteMultipartUpload',
    DELETE: 'AbortMultipartUpload',
    GET: 'ListParts',
  };
  return names[method] ?? 'HeadObjectPart';
}

function bucketOperation(method: string, query: URLSearchParams): string {
  if (method === 'POST' && query.has('delete')) return 'DeleteObjects';
  if (method === 'GET' && query.has('uploads')) return 'ListMultipartUploads';
  if (method === 'GET' && query.has('versions')) return 'ListObjectVersions';
  if (query.has('object-lock')) return `${verbs[method]}ObjectLockConfiguration`;
  const sub = subresources.find((name) => query.has(name));
  if (sub !== undefined) return `${verbs[method]}Bucket${capitalized(sub)}`;
  const listing = query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
  const names: Record<string, string> = { GET: listing, PUT: 'CreateBucket', POST: 'PostObject' };
  return names[method] ?? `${verbs[method]}Bucket`;
}

const capitalized = (name: string) =>
  name
    .split('-')
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join('');
