import type { Bucket } from './bucket.ts';
import { successor } from './list-objects.ts';
import { removeUpload } from './multipart.ts';
import type { Store } from './store.ts';

const day = 24 * 60 * 60 * 1000;

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
    if (rule.ExpirationInDays !== undefined)
      expire(store, bucket, prefix, today - rule.ExpirationInDays * day);
  }
}

function expire(store: Store, bucket: Bucket, prefix: string, before: number): void {
  const bytes = Buffer.from(prefix);
  let from = bytes;
  for (;;) {
    const page = store.index.list(bucket.name, from, 1000);
    for (const { key, object } of page) {
      if (!key.subarray(0, bytes.length).equals(bytes)) return;
      if (object.modified < before) store.remove(bucket, key.toString());
    }
    const last = page.at(-1);
    if (last === undefined || page.length < 1000) return;
    from = Buffer.concat([last.key, Buffer.of(0)]);
    if (successor(bytes) !== undefined && Buffer.compare(from, successor(bytes)!) >= 0) return;
  }
}
