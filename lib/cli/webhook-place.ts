import type { Command } from 'commander';
import type { Body } from '../sdk/caller.ts';
import type { Client } from '../sdk/client.ts';
import { UsageError } from './usage-error.ts';

/** Which webhooks a command means. */
export interface Place {
  pod?: string;
  inbox?: string;
}

/** The options of every command of webhooks. */
export const withPlace = (command: Command): Command =>
  command
    .option('--pod <pod>', 'of this pod')
    .option('--inbox <inbox>', 'of this inbox, by an address of it');

/** The webhooks of the place that is named, or of all the signing key reaches. */
export function webhooksAt({ webhooks, pods, inboxes }: Client, { pod, inbox }: Place) {
  if (pod !== undefined && inbox !== undefined) throw new UsageError('Give --pod or --inbox, not both');
  const [of, id] = pod === undefined ? [inboxes.webhooks, inbox] : [pods.webhooks, pod];
  if (id === undefined) return webhooks;
  return {
    // What the place does not take, the server names.
    create: (body: Body<'webhooks.create'>) => of.create(id, body as never),
    list: (query: Parameters<typeof webhooks.list>[0]) => of.list(id, query),
    get: (webhook: string) => of.get(id, webhook),
    update: (webhook: string, body: Body<'webhooks.update'>) => of.update(id, webhook, body as never),
    delete: (webhook: string) => of.delete(id, webhook),
    getHeaders: (webhook: string) => of.getHeaders(id, webhook),
    updateHeaders: (webhook: string, body: Body<'webhooks.updateHeaders'>) =>
      of.updateHeaders(id, webhook, body),
    rotateSecret: (webhook: string) => of.rotateSecret(id, webhook),
    listDeliveries: (webhook: string, query: Parameters<typeof webhooks.list>[0]) =>
      of.listDeliveries(id, webhook, query),
    redeliver: (webhook: string, delivery: string) => of.redeliver(id, webhook, delivery),
  };
}
