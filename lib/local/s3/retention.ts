import { AwsError } from '../aws-error.ts';
import { statesChecksum } from './checksums.ts';
import {
  checkedRetention,
  demandLockedBucket,
  isProtected,
  lockRefusal,
  retentionContext,
  wantsBypass,
} from './object-lock.ts';
import type { Lock, Retention } from './object-lock.ts';
import type { StoredObject } from './object-index.ts';
import { versionHeader } from './put-object.ts';
import { requestedVersion } from './requested-version.ts';
import { smallBody } from './small-body.ts';
import type { Operation, S3Call, Store } from './store.ts';
import { readXml, text, xmlResponse } from './xml.ts';

const noConfiguration = 'Bucket is missing Object Lock Configuration';

/** Throws AccessDenied (403) for a version whose lock keeps it, from everyone or from who may not set it aside. */
export function checkDeletable(store: Store, call: S3Call, key: string, { lock }: StoredObject): void {
  if (!isProtected(lock, store.cloud.clock.now())) return;
  const { retention, hold } = lock!;
  if (hold === true || retention?.mode !== 'GOVERNANCE') throw lockRefusal();
  bypass(store, call, key, retention);
}

/** IAM's answer for a call that sets a governance retention aside, and says so. */
function bypass(store: Store, { request, bucket }: S3Call, key: string, retention: Retention): void {
  if (!wantsBypass(request.headers, bucket)) throw lockRefusal();
  const context = retentionContext(retention, store.cloud.clock.now());
  store.authorize(request.caller, 'BypassGovernanceRetention', bucket, key, context);
}

export const getObjectRetention: Operation = (store, { request, bucket, key }) => {
  store.authorize(request.caller, 'GetObjectRetention', bucket, key);
  demandLockedBucket(bucket, noConfiguration);
  const { lock } = store.object(request.caller, bucket, key, requestedVersion(request.query));
  if (lock?.retention === undefined) throw noLock();
  const { mode, until } = lock.retention;
  return xmlResponse('Retention', { Mode: mode, RetainUntilDate: new Date(until).toISOString() });
};

export const putObjectRetention: Operation = async (store, call) => {
  const { request, bucket, key } = call;
  const wanted = wantedRetention(await lockDocument(store, call, 'Retention'), store.cloud.clock.now());
  const now = store.cloud.clock.now();
  store.authorize(request.caller, 'PutObjectRetention', bucket, key, retentionContext(wanted, now));
  const object = store.object(request.caller, bucket, key, requestedVersion(request.query));
  const there = object.lock?.retention;
  if (there !== undefined && there.until > now && !prolongs(there, wanted)) {
    if (there.mode === 'COMPLIANCE') throw lockRefusal();
    bypass(store, call, key, there);
  }
  return relocked(store, call, object, {
    ...(object.lock?.hold !== undefined && { hold: object.lock.hold }),
    ...(wanted && { retention: wanted }),
  });
};

/** Anyone who may set a retention may make it longer; any other change of one that still runs takes something away. */
const prolongs = (there: Retention, wanted: Retention | undefined): boolean =>
  wanted !== undefined && wanted.mode === there.mode && wanted.until >= there.until;

/** An empty document takes the retention away. */
function wantedRetention(document: Record<string, unknown>, now: number): Retention | undefined {
  const [mode, date] = [text(document, 'Mode'), text(document, 'RetainUntilDate')];
  if (mode === undefined && date === undefined) return undefined;
  if (mode !== undefined && date !== undefined) return checkedRetention(mode, date, now);
  throw new AwsError(
    'MalformedXML',
    'A Retention document has both a Mode and a RetainUntilDate, or neither.',
  );
}

export const getObjectLegalHold: Operation = (store, { request, bucket, key }) => {
  store.authorize(request.caller, 'GetObjectLegalHold', bucket, key);
  demandLockedBucket(bucket, noConfiguration);
  const { lock } = store.object(request.caller, bucket, key, requestedVersion(request.query));
  if (lock?.hold === undefined) throw noLock();
  return xmlResponse('LegalHold', { Status: lock.hold ? 'ON' : 'OFF' });
};

export const putObjectLegalHold: Operation = async (store, call) => {
  const { request, bucket, key } = call;
  store.authorize(request.caller, 'PutObjectLegalHold', bucket, key);
  const status = text(await lockDocument(store, call, 'LegalHold'), 'Status');
  if (status !== 'ON' && status !== 'OFF') {
    throw new AwsError('MalformedXML', 'A LegalHold document has the Status ON or OFF.');
  }
  const object = store.object(request.caller, bucket, key, requestedVersion(request.query));
  return relocked(store, call, object, { ...object.lock, hold: status === 'ON' });
};

async function lockDocument(store: Store, { request, bucket }: S3Call, root: string) {
  if (!statesChecksum(request.headers)) {
    const message = 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*';
    throw new AwsError('InvalidRequest', message);
  }
  demandLockedBucket(bucket, noConfiguration);
  return readXml(await smallBody(store, request), root);
}

function relocked(store: Store, { bucket, key }: S3Call, { version }: StoredObject, lock: Lock) {
  store.versions.lock(bucket.name, key, version!, lock);
  return { status: 200, headers: versionHeader(version) };
}

const noLock = () =>
  new AwsError(
    'NoSuchObjectLockConfiguration',
    'The specified object does not have a ObjectLock configuration',
    { status: 404 },
  );
