import type { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { remainingObjects } from '../../lib/adapters/remaining-objects.ts';
import type { Pieces } from '../../lib/core/removal-ports.ts';

/** A bucket that lists 1,000 objects a call, as S3 does. */
function bucket(keys: string[], refuses?: string) {
  const calls: string[] = [];
  const send = async ({ constructor, input }: { constructor: { name: string }; input: any }) => {
    calls.push(constructor.name);
    if (constructor.name === 'ListObjectsV2Command') {
      const found = keys.filter((key) => key.startsWith(input.Prefix)).slice(0, input.MaxKeys);
      return { Contents: found.map((Key) => ({ Key })) };
    }
    const gone = new Set(input.Delete.Objects.map(({ Key }: { Key: string }) => Key));
    if (refuses !== undefined && gone.has(refuses))
      return { Errors: [{ Key: refuses, Code: 'AccessDenied' }] };
    keys = keys.filter((key) => !gone.has(key));
    return {};
  };
  return { s3: { send } as unknown as S3Client, calls, left: () => keys };
}
const all = async (pieces: Pieces): Promise<number[]> => {
  const counts: number[] = [];
  for await (const piece of pieces) counts.push(piece);
  return counts;
};

describe('what lies under a prefix', () => {
  it('goes 1,000 objects a call, and nothing beside it', async () => {
    const own = Array.from({ length: 2500 }, (_, n) => `org_a/inb_1/${n}/raw`);
    const others = ['org_a/inb_10/1/raw', 'org_a/archives/arc_1.mbox', 'org_aa/inb_1/1/raw', 'incoming/1'];
    const { s3, calls, left } = bucket([...own, ...others]);
    expect(await all(remainingObjects('mail', s3).under('org_a/inb_1/'))).toEqual([1000, 1000, 500]);
    expect(left()).toEqual(others);
    expect(calls).toHaveLength(7);
    expect(await all(remainingObjects('mail', s3).under('org_a/'))).toEqual([2]);
    expect(left()).toEqual(['org_aa/inb_1/1/raw', 'incoming/1']);
  });

  it('is reported when S3 keeps some of it', async () => {
    const { s3 } = bucket(['org_a/inb_1/1/raw'], 'org_a/inb_1/1/raw');
    await expect(all(remainingObjects('mail', s3).under('org_a/inb_1/'))).rejects.toThrow('AccessDenied');
  });

  it.each(['', '/', 'org_a', 'org_/', 'incoming/', 'org_a/inb_1', 'org_a//', 'org_a/inb_1/msg/'])(
    'is never the prefix "%s"',
    async (prefix) => {
      const { s3, calls } = bucket([]);
      await expect(all(remainingObjects('mail', s3).under(prefix))).rejects.toThrow('not the folder');
      expect(calls).toEqual([]);
    },
  );
});
