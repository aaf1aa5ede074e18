import type { Bucket } from './bucket.ts';
import type { LifecycleRule } from './bucket-properties.ts';
import { behind } from './list-keys.ts';
import type { Position } from './list-keys.ts';
import { removeUpload } from './multipart.ts';
import { day, isProtected } from './object-lock.ts';
import type { Store } from './store.ts';
import type { Version } from './version-index.ts';

type History = [latest: Version, ...older: Version[]];

/** Carries out lifecycle rules after each midnight UTC, when S3 does. Answers what stops it. */
export function keepLifecycle(store: Store): () => void {
  let cancel = () => {};
  const arm = () => {
    const { clock } = store.cloud;
    cancel = clock.after(day - (clock.now() % day), () => {
      arm();
      for (const bucket of store.buckets.values()) applyLifecycle(store, bucket);
    });
  };
  arm();
  return () => cancel();
}

/** Removes what the bucket's rules say has had its time. */
export function applyLifecycle(store: Store, bucket: Bucket): void {
  const today = store.cloud.clock.now() - (store.cloud.clock.now() % day);
  for (const rule of bucket.lifecycle) {
    if (rule.Status !== 'Enabled') continue;
    const prefix = rule.Prefix ?? '';
    const abort = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
    if (abort !== undefined) {
      const stale = store.uploads.startedBefore(bucket.name, today - abort * day);
      for (const upload of stale) if (upload.key.startsWith(prefix)) removeUpload(store, upload.id);
    }
    // The days are counted to the midnight that follows them.
    if (rule.ExpirationInDays !== undefined) expire(store, bucket, rule, today - rule.ExpirationInDays * day);
    if (bucket.versioning !== undefined && rule.TagFilters === undefined)
      expireVersions(store, bucket, rule, today);
  }
  store.sweep();
}

/** Removes what is current; where versions are kept, under a delete marker. */
function expire(
  store: Store,
  bucket: Bucket,
  { Prefix = '', TagFilters = [] }: LifecycleRule,
  before: number,
): void {
  const rows = (from: Position) => store.list(bucket, from.key, 1000);
  for (const { key, object } of under(Prefix, rows, ({ key: last }) => behind(last))) {
    const tagged = TagFilters.every(({ Key, Value }) => object.tags[Key] === Value);
    if (tagged && object.modified < before) store.remove(bucket, key.toString());
  }
}

function expireVersions(store: Store, bucket: Bucket, rule: LifecycleRule, today: number): void {
  const { NoncurrentVersionExpiration: old, ExpirationInDays: age, ExpiredObjectDeleteMarker } = rule;
  const markersBefore = ExpiredObjectDeleteMarker === true ? Infinity : age && today - age * day;
  for (const history of histories(store, bucket, rule.Prefix ?? '')) {
    const [latest, ...older] = history;
    const expired = old === undefined ? [] : noncurrentOf(history, old, today);
    const gone = expired.filter(({ object }) => !isProtected(object?.lock, store.cloud.clock.now()));
    for (const version of gone) store.versions.remove(version);
    // A delete marker with nothing below it.
    const bare = latest.object === undefined && gone.length === older.length;
    if (bare && markersBefore !== undefined && latest.modified < markersBefore) store.versions.remove(latest);
  }
}

/** The older versions whose time is up: it began when the next newer version came. */
function noncurrentOf(
  history: History,
  { NoncurrentDays, NewerNoncurrentVersions = 0 }: NonNullable<LifecycleRule['NoncurrentVersionExpiration']>,
  today: number,
): Version[] {
  const before = today - NoncurrentDays * day;
  return history.slice(1).filter((_, i) => i >= NewerNoncurrentVersions && history[i]!.modified < before);
}

/** The versions of each key, the newest first. */
function* histories(store: Store, bucket: Bucket, prefix: string): Generator<History> {
  const rows = (from: Position) => store.versions.list(bucket.name, from, 1000);
  let history: History | undefined;
  for (const version of under(prefix, rows, ({ key, seq }) => ({ key, below: seq }))) {
    if (history !== undefined && history[0].key.equals(version.key)) history.push(version);
    else {
      if (history !== undefined) yield history;
      history = [version];
    }
  }
  if (history !== undefined) yield history;
}

/** Every row whose key begins with the prefix, read page by page. */
function* under<Row extends { key: Buffer }>(
  prefix: string,
  rows: (from: Position) => Row[],
  after: (row: Row) => Position,
): Generator<Row> {
  const bytes = Buffer.from(prefix);
  for (let page = rows({ key: bytes }); page.length > 0; page = rows(after(page.at(-1)!))) {
    for (const row of page) {
      if (!row.key.subarray(0, bytes.length).equals(bytes)) return;
      yield row;
    }
  }
}
