import { beforeAll, describe, expect, it } from 'vitest';
import type { Permissions } from '../../lib/contract/permission.ts';
import type { Client } from '../../lib/sdk/client.ts';
import { sharedMailroom } from '../support/mailroom.ts';

const mailroom = sharedMailroom();
const problem = (code: string, status: number) => expect.objectContaining({ code, status });
const notFound = problem('not_found', 404);

/** A client whose key is of one pod alone. */
async function podClient(client: Client, pod_id: string, permissions?: Permissions): Promise<Client> {
  const made = await client.pods.apiKeys.create(pod_id, {
    type: 'generate',
    ...(permissions && { permissions }),
  });
  if (made.type !== 'public_key' || made.private_jwk === undefined) throw new Error('no pair was made');
  return mailroom.client({ private_jwk: made.private_jwk });
}

describe('a pod', () => {
  let organization_id: string;
  let client: Client;
  beforeAll(async () => {
    ({ organization_id, client } = await mailroom.organization());
  });

  it('is made once for a client_id, is listed and found, and is gone when it is deleted', async () => {
    const pod = await client.pods.create({ name: 'Acme', client_id: 'acme' });
    expect(pod).toEqual({
      organization_id,
      pod_id: expect.stringMatching(/^pod_[0-9a-z]{26}$/),
      name: 'Acme',
      client_id: 'acme',
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect(await client.pods.create({ name: 'Another name', client_id: 'acme' })).toEqual(pod);
    expect(await client.pods.get(pod.pod_id)).toEqual(pod);
    expect((await client.pods.list()).pods.map(({ pod_id }) => pod_id)).toEqual([
      pod.pod_id,
      organization_id,
    ]);

    expect(await client.pods.delete(pod.pod_id)).toBeUndefined();
    await expect(client.pods.get(pod.pod_id)).rejects.toEqual(notFound);
    await expect(client.pods.delete(pod.pod_id)).rejects.toEqual(notFound);
    // The client_id went with it.
    const second = await client.pods.create({ client_id: 'acme' });
    expect(second.pod_id).not.toBe(pod.pod_id);
    expect(second.name).toBe(`pod ${second.pod_id}`);
  });

  it('of one client_id is one, however many ask at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 5 }, () =>
        mailroom.eventually(() => client.pods.create({ client_id: 'at-once' })),
      ),
    );
    expect(new Set(made.map(({ pod_id }) => pod_id)).size).toBe(1);
    const all: (string | undefined)[] = [];
    for await (const { client_id } of client.pods.all({ limit: 1 })) all.push(client_id);
    expect(all.filter((id) => id === 'at-once')).toHaveLength(1);
  });

  it('by default has the organization’s id, holds what names no pod, and stays', async () => {
    expect(await client.pods.get(organization_id)).toMatchObject({
      organization_id,
      pod_id: organization_id,
    });
    const { inbox_id, pod_id } = await client.inboxes.create();
    expect(pod_id).toBe(organization_id);
    expect((await client.pods.inboxes.get(organization_id, inbox_id)).inbox_id).toBe(inbox_id);
    await expect(client.pods.delete(organization_id)).rejects.toEqual(problem('cannot_delete', 409));
  });

  it('with an inbox is not deleted', async () => {
    const { pod_id } = await client.pods.create();
    const { inbox_id } = await client.pods.inboxes.create(pod_id);
    await expect(client.pods.delete(pod_id)).rejects.toEqual(problem('cannot_delete', 409));
    expect((await client.pods.inboxes.get(pod_id, inbox_id)).pod_id).toBe(pod_id);
  });

  it('takes its keys with it: writes at once, reads within five seconds', async () => {
    const { pod_id } = await client.pods.create();
    const own = await podClient(client, pod_id);
    const { api_key_id } = await own.auth.me();
    await own.inboxes.list();
    // Which keys a pod has is read from an index.
    await mailroom.eventually(async () => {
      expect((await client.pods.apiKeys.list(pod_id)).api_keys).toMatchObject([{ api_key_id }]);
    });
    // So are those that are revoked: one that the index does not show yet again would keep its name, and open nothing.
    mailroom.rain(false);
    await client.pods.delete(pod_id);
    mailroom.rain(true);
    await expect(own.inboxes.create()).rejects.toEqual(problem('unknown_api_key', 401));
    mailroom.cloud.clock.advance(5001);
    await expect(own.inboxes.list()).rejects.toEqual(problem('unknown_api_key', 401));
    await expect(client.apiKeys.get(api_key_id!)).rejects.toEqual(notFound);
    await expect(client.pods.inboxes.create(pod_id)).rejects.toEqual(notFound);
  });

  it('deleted while an inbox and a key of it are made is either gone with nothing in it, or there with its inbox', async () => {
    const { pod_id } = await client.pods.create();
    const settled = await Promise.allSettled([
      client.pods.delete(pod_id),
      client.pods.inboxes.create(pod_id),
      client.pods.apiKeys.create(pod_id, { type: 'generate' }),
    ]);
    const [deleted, provisioned, key] = settled.map(({ status }) => status === 'fulfilled');
    expect([deleted, provisioned]).not.toEqual([true, true]);
    if (provisioned) expect((await client.pods.get(pod_id)).pod_id).toBe(pod_id);
    else if (deleted) await expect(client.pods.get(pod_id)).rejects.toEqual(notFound);
    if (deleted && key && settled[2].status === 'fulfilled' && settled[2].value.type === 'public_key') {
      const orphan = mailroom.client({ private_jwk: settled[2].value.private_jwk! });
      await expect(orphan.auth.me()).rejects.toEqual(problem('unknown_api_key', 401));
    }
  });
});

describe('a key of a pod', () => {
  let client: Client;
  let organization_id: string;
  let pod: string;
  let neighbour: string;
  let own: Client;
  const inboxes: Record<'own' | 'second' | 'neighbour' | 'default', string> = {} as never;
  beforeAll(async () => {
    ({ organization_id, client } = await mailroom.organization());
    pod = (await client.pods.create({ name: 'Own' })).pod_id;
    neighbour = (await client.pods.create({ name: 'Neighbour' })).pod_id;
    own = await podClient(client, pod);
    // Without a pod in the path the inbox is of the key's own.
    inboxes.own = (await own.inboxes.create()).inbox_id;
    inboxes.second = (await client.pods.inboxes.create(pod)).inbox_id;
    inboxes.neighbour = (await client.pods.inboxes.create(neighbour)).inbox_id;
    inboxes.default = (await client.inboxes.create()).inbox_id;
  });
  const idsOf = async (list: Promise<{ inboxes: { inbox_id: string }[] }>) =>
    (await list).inboxes.map(({ inbox_id }) => inbox_id);

  it('knows its pod, and sees no other', async () => {
    expect(await own.auth.me()).toMatchObject({
      scope_type: 'pod',
      scope_id: pod,
      organization_id,
      pod_id: pod,
    });
    expect((await own.pods.list()).pods.map(({ pod_id }) => pod_id)).toEqual([pod]);
    expect((await own.pods.get(pod)).name).toBe('Own');
    for (const other of [neighbour, organization_id, 'pod_nobody']) {
      await expect(own.pods.get(other)).rejects.toEqual(notFound);
      await expect(own.pods.delete(other)).rejects.toEqual(notFound);
      await expect(own.pods.inboxes.list(other)).rejects.toEqual(notFound);
      await expect(own.pods.inboxes.create(other)).rejects.toEqual(notFound);
      await expect(own.pods.threads.list(other)).rejects.toEqual(notFound);
      await expect(own.pods.apiKeys.create(other, { type: 'generate' })).rejects.toEqual(notFound);
      await expect(own.pods.audit.list(other)).rejects.toEqual(notFound);
    }
    await expect(own.pods.create()).rejects.toEqual(problem('missing_permission', 403));
    await expect(own.pods.delete(pod)).rejects.toEqual(problem('missing_permission', 403));
  });

  it('reaches the inboxes of its pod, by both paths, and no others', async () => {
    for (const inbox of [inboxes.own, inboxes.second]) {
      expect((await own.inboxes.get(inbox)).pod_id).toBe(pod);
      expect((await own.pods.inboxes.get(pod, inbox)).inbox_id).toBe(inbox);
    }
    for (const inbox of [inboxes.neighbour, inboxes.default, 'nobody@posthorn.test']) {
      await expect(own.inboxes.get(inbox)).rejects.toEqual(notFound);
      await expect(own.inboxes.update(inbox, { display_name: 'Eve' })).rejects.toEqual(notFound);
      await expect(own.inboxes.messages.list(inbox)).rejects.toEqual(notFound);
      await expect(own.pods.inboxes.get(pod, inbox)).rejects.toEqual(notFound);
    }
    // The path names a pod that the inbox is not in.
    await expect(client.pods.inboxes.get(neighbour, inboxes.own)).rejects.toEqual(notFound);
  });

  it('lists the inboxes of its pod; the organization’s key lists all, and each pod’s', async () => {
    const ofPod = [inboxes.second, inboxes.own];
    await mailroom.eventually(async () => {
      expect(await idsOf(own.inboxes.list())).toEqual(ofPod);
      expect(await idsOf(own.pods.inboxes.list(pod))).toEqual(ofPod);
      expect(await idsOf(client.pods.inboxes.list(pod))).toEqual(ofPod);
      expect(await idsOf(client.pods.inboxes.list(neighbour))).toEqual([inboxes.neighbour]);
      expect(await idsOf(client.pods.inboxes.list(organization_id))).toEqual([inboxes.default]);
      expect(await idsOf(client.inboxes.list())).toEqual([inboxes.default, inboxes.neighbour, ...ofPod]);
    });
    const byOne: string[] = [];
    for await (const { inbox_id } of own.inboxes.all({ limit: 1, ascending: true })) byOne.push(inbox_id);
    expect(byOne).toEqual(ofPod.toReversed());
    // A page of one list is none of another.
    const { next_page_token } = await client.inboxes.list({ limit: 1 });
    await expect(own.inboxes.list({ limit: 1, page_token: next_page_token! })).rejects.toEqual(
      problem('validation_error', 400),
    );
  });

  it('reads the threads of its pod: all three levels are the same threads, each as far as it goes', async () => {
    await mailroom.send({ to: Object.values(inboxes) });
    const whose = async (list: Promise<{ threads: { inbox_id: string }[] }>) =>
      new Set((await list).threads.map(({ inbox_id }) => inbox_id));
    await mailroom.eventually(async () => {
      expect(await whose(client.threads.list())).toEqual(new Set(Object.values(inboxes)));
    });
    await mailroom.eventually(async () => {
      const ofPod = new Set([inboxes.own, inboxes.second]);
      expect(await whose(own.threads.list())).toEqual(ofPod);
      expect(await whose(client.pods.threads.list(pod))).toEqual(ofPod);
      expect(await whose(client.pods.threads.list(organization_id))).toEqual(new Set([inboxes.default]));
      expect(await whose(client.inboxes.threads.list(inboxes.own))).toEqual(new Set([inboxes.own]));
      expect(await whose(own.inboxes.threads.list(inboxes.second))).toEqual(new Set([inboxes.second]));
    });
    const [mine] = (await client.inboxes.threads.list(inboxes.own)).threads;
    const [foreign] = (await client.inboxes.threads.list(inboxes.neighbour)).threads;
    const id = mine!.thread_id;
    const reads = [
      () => client.threads.get(id),
      () => client.pods.threads.get(pod, id),
      () => client.inboxes.threads.get(inboxes.own, id),
      () => own.threads.get(id),
      () => own.pods.threads.get(pod, id),
      () => own.inboxes.threads.get(inboxes.own, id),
    ];
    for (const read of reads) expect(await read()).toMatchObject({ thread_id: id, pod_id: pod });
    const misses = [
      () => own.threads.get(foreign!.thread_id),
      () => own.pods.threads.get(pod, foreign!.thread_id),
      () => client.pods.threads.get(neighbour, id),
      () => client.inboxes.threads.get(inboxes.second, id),
      () => own.threads.update(foreign!.thread_id, { add_labels: ['seen'] }),
      () => own.threads.delete(foreign!.thread_id),
      () => client.pods.threads.delete(neighbour, id),
    ];
    for (const miss of misses) await expect(miss()).rejects.toEqual(notFound);

    expect(await own.threads.update(id, { add_labels: ['seen'] })).toMatchObject({
      labels: expect.arrayContaining(['seen']),
    });
    await own.pods.threads.delete(pod, id);
    await expect(client.threads.get(id)).rejects.toEqual(notFound);
    expect((await client.threads.get(foreign!.thread_id)).labels).not.toContain('seen');
  });

  it('that is narrower still, of one inbox, sees its pod in a list and reaches nothing by it', async () => {
    const made = await own.inboxes.apiKeys.create(inboxes.own, { type: 'generate' });
    if (made.type !== 'public_key') throw new Error('no pair was made');
    const ofInbox = mailroom.client({ private_jwk: made.private_jwk! });
    expect((await ofInbox.pods.list()).pods.map(({ pod_id }) => pod_id)).toEqual([pod]);
    expect((await ofInbox.inboxes.list()).inboxes.map(({ inbox_id }) => inbox_id)).toEqual([inboxes.own]);
    expect((await ofInbox.threads.list()).threads.every(({ inbox_id }) => inbox_id === inboxes.own)).toBe(
      true,
    );
    for (const miss of [
      () => ofInbox.pods.get(pod),
      () => ofInbox.pods.inboxes.list(pod),
      () => ofInbox.pods.threads.list(pod),
      () => ofInbox.pods.inboxes.get(pod, inboxes.second),
      () => ofInbox.inboxes.get(inboxes.second),
    ])
      await expect(miss()).rejects.toEqual(notFound);
    // The pod in the path is its inbox's.
    expect((await ofInbox.pods.inboxes.get(pod, inboxes.own)).inbox_id).toBe(inboxes.own);
    await expect(ofInbox.inboxes.create()).rejects.toEqual(problem('missing_permission', 403));
  });

  it('sees the deeds of its pod in the ledger, and none beside them', async () => {
    const { lines } = await own.audit.list({ limit: 500 });
    expect(lines.length).toBeGreaterThan(5);
    expect(new Set(lines.map(({ pod_id }) => pod_id))).toEqual(new Set([pod]));
    const all = (await client.audit.list({ limit: 500 })).lines;
    expect(all.length).toBeGreaterThan(lines.length);
    expect(new Set(all.map(({ organization_id: id }) => id))).toEqual(new Set([organization_id]));
  });
});
