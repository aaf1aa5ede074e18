import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { S3 } from '../../../lib/local/s3/s3.ts';
import { killAfter } from '../../support/kill-after.ts';
import { deploy, removeHome, stubCloud, testRole } from '../../support/service-endpoint.ts';

const files = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;

describe('after kill -9', () => {
  it.each([5, 60, 200])('what was acknowledged is there, after %i lines, and nothing else', async (lines) => {
    const home = await mkdtemp(join(tmpdir(), 'posthorn-'));
    const acknowledged = await killAfter(lines, join(import.meta.dirname, 'crash-child.ts'), home);
    expect(acknowledged.length).toBeGreaterThanOrEqual(lines);
    const cloud = await stubCloud({ home });
    const s3 = new S3(cloud);
    await deploy(s3, 'AWS::S3::Bucket', { BucketName: 'mail' });
    const get = async (key: string) => {
      const request = { method: 'GET', path: `/mail/${key}`, query: new URLSearchParams(), headers: {} };
      return s3.handle({ ...request, body: Readable.from([]), caller: testRole });
    };
    const said = acknowledged.map((line) => line.split(' ') as [string, string, string?]);
    const [copied, deleted] = ['copied', 'deleted'].map(
      (word) => new Set(said.filter(([what]) => what === word).map(([, name]) => name)),
    ) as [Set<string>, Set<string>];
    for (const [what, name, size] of said) {
      const expected = Buffer.alloc(Number(size ?? 0), name);
      if (what === 'copied') expect((await get(`kept/${name}`)).body).toEqual(expected);
      if (what === 'deleted') expect((await get(`incoming/${name}`)).status).toBe(404);
      // Once copied, the deletion may have been done without its acknowledgement.
      if (what === 'put' && !copied.has(name)) expect((await get(`incoming/${name}`)).body).toEqual(expected);
    }
    expect(lines < 60 || deleted.size > 0).toBe(true);
    // Nothing half written and nothing orphaned: as many blobs as there are names with different bytes.
    const list = await s3.handle({
      method: 'GET',
      path: '/mail',
      query: new URLSearchParams('list-type=2'),
      headers: {},
      body: Readable.from([]),
      caller: testRole,
    });
    const keys = [...String(list.body).matchAll(/<Key>([^<]+)<\/Key>/g)].map((match) => match[1]!);
    for (const key of keys)
      expect(String((await get(key)).body).slice(0, 3)).toBe(key.split('/')[1]!.slice(0, 3));
    expect(await files(join(home, 's3', 'incoming'))).toBe(0);
    expect(await files(join(home, 's3', 'blobs'))).toBe(new Set(keys.map((key) => key.split('/')[1])).size);
    await s3.stop();
    await removeHome(cloud);
  });

  it('with a power loss in mind the same calls work and flush', async () => {
    const cloud = await stubCloud({ durable: true });
    const s3 = new S3(cloud);
    await deploy(s3, 'AWS::S3::Bucket', { BucketName: 'mail' });
    await s3.putObject({ caller: testRole, bucket: 'mail', key: 'k', bytes: Buffer.from('x') });
    await s3.stop();
    await removeHome(cloud);
  });
});
