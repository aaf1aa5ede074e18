import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { S3 } from '../../../lib/local/s3/s3.ts';
import { killAfter } from '../../support/kill-after.ts';
import { lockedBucket } from './locked-bucket.ts';
import { deploy, removeHome, stubCloud, testRole } from '../../support/service-endpoint.ts';
import { thorough } from '../../support/thorough.ts';

const files = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;

describe('after kill -9', () => {
  it.each(thorough ? [5, 60, 200] : [5, 60])(
    'what was acknowledged is there, after %i lines, and nothing else',
    async (lines) => {
      const home = await mkdtemp(join(tmpdir(), 'posthorn-'));
      const acknowledged = await killAfter(lines, join(import.meta.dirname, 'crash-child.ts'), home);
      expect(acknowledged.length).toBeGreaterThanOrEqual(lines);
      const cloud = await stubCloud({ home });
      const s3 = new S3(cloud);
      await deploy(s3, 'AWS::S3::Bucket', { BucketName: 'mail' });
      await deploy(s3, 'AWS::S3::Bucket', lockedBucket);
      const ask = async (path: string, query = '', method = 'GET') => {
        const request = { method, path, query: new URLSearchParams(query), headers: {} };
        return s3.handle({ ...request, body: Readable.from([]), caller: testRole });
      };
      const get = (key: string) => ask(`/mail/${key}`);
      const said = acknowledged.map((line) => line.split(' ') as [string, string, string?]);
      const [copied, deleted] = ['copied', 'deleted'].map(
        (word) => new Set(said.filter(([what]) => what === word).map(([, name]) => name)),
      ) as [Set<string>, Set<string>];
      for (const [what, name, size] of said) {
        const expected = Buffer.alloc(Number(size ?? 0), name);
        if (what === 'copied') expect((await get(`kept/${name}`)).body).toEqual(expected);
        if (what === 'deleted') expect((await get(`incoming/${name}`)).status).toBe(404);
        // Once copied, the deletion may have been done without its acknowledgement.
        if (what === 'put' && !copied.has(name))
          expect((await get(`incoming/${name}`)).body).toEqual(expected);
      }
      expect(lines < 60 || deleted.size > 0).toBe(true);
      // Nothing half written and nothing orphaned: as many blobs as there are names with different bytes.
      const list = await ask('/mail', 'list-type=2');
      const keys = [...String(list.body).matchAll(/<Key>([^<]+)<\/Key>/g)].map((match) => match[1]!);
      for (const key of keys)
        expect(String((await get(key)).body).slice(0, 3)).toBe(key.split('/')[1]!.slice(0, 3));
      expect(await files(join(home, 's3', 'incoming'))).toBe(0);
      const listed = String((await ask('/ledger', 'versions')).body);
      const versions = [...listed.matchAll(/<Version>.*?<VersionId>([^<]+)/g)].map((match) => match[1]!);
      const names = new Set(keys.map((key) => key.split('/')[1]));
      expect(await files(join(home, 's3', 'blobs'))).toBe(names.size + versions.length);
      const forgotten = new Set(said.filter(([what]) => what === 'forgotten').map(([, id]) => id));
      // The last one may have been forgotten without its acknowledgement.
      const made = said.filter(([what, id]) => what === 'version' && !forgotten.has(id));
      for (const [i, [, id, round]] of made.entries()) {
        const there = await ask('/ledger/k', `versionId=${id}`);
        if (i === made.length - 1 && there.status === 404) continue;
        expect(String(there.body)).toBe(`line ${round!}`);
        expect(there.headers?.['x-amz-object-lock-mode']).toBe('GOVERNANCE');
        expect((await ask('/ledger/k', `versionId=${id}`, 'DELETE')).status).toBe(403);
      }
      for (const id of forgotten) expect(versions).not.toContain(id);
      for (const [what, id] of said) if (what === 'marker') expect(listed).toContain(id);
      expect(listed.match(/<IsLatest>true/g)?.length ?? 0).toBeLessThanOrEqual(1);
      expect(lines < 60 || made.length > 1).toBe(true);
      await s3.stop();
      await removeHome(cloud);
    },
  );

  it('with a power loss in mind the same calls work and flush', async () => {
    const cloud = await stubCloud({ durable: true });
    const s3 = new S3(cloud);
    await deploy(s3, 'AWS::S3::Bucket', { BucketName: 'mail' });
    await s3.putObject({ caller: testRole, bucket: 'mail', key: 'k', bytes: Buffer.from('x') });
    await s3.stop();
    await removeHome(cloud);
  });
});
