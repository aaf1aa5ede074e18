import type { Client } from '../../lib/sdk/client.ts';
import type { Mailroom } from './mailroom.ts';

export interface Member {
  inbox_id: string;
  client_id: string;
  /** With a key of this inbox alone. */
  own: Client;
}

/**
 * Inboxes with all an inbox can have: a client id, keys, a webhook, mail in threads with an attachment and a body
 * that is too large for a row, labels. One mail goes to all of them at once.
 */
export async function fleet(
  mailroom: Mailroom,
  client: Client,
  { count, url, pod_id, prefix }: { count: number; url: string; pod_id?: string; prefix: string },
): Promise<Member[]> {
  const members: Member[] = [];
  for (let n = 0; n < count; n++) {
    const client_id = `${prefix}-${n}`;
    const body = {
      ...{ username: client_id, client_id, credential: { type: 'generate' } as const },
      webhook: { url, event_types: ['message.received', 'inbox.deleted'] as const },
    };
    const made = await (pod_id === undefined
      ? client.inboxes.create(body as never)
      : client.pods.inboxes.create(pod_id, body as never));
    const { credential, inbox_id } = made;
    if (credential === undefined || !('private_jwk' in credential)) throw new Error('no pair was made');
    await client.inboxes.apiKeys.create(inbox_id, { type: 'generate', client_id: `key-${client_id}` });
    const own = mailroom.client({ private_jwk: credential.private_jwk! });
    members.push({ inbox_id, client_id, own });
  }
  const to = members.map(({ inbox_id }) => inbox_id);
  const first = `<${prefix}-first@sender.test>`;
  await mailroom.send({ to, subject: 'First', messageId: first });
  await mailroom.send({
    ...{ to, subject: 'Re: First', inReplyTo: first, references: first, text: large },
    attachments: [{ filename: 'a.txt', content: 'An attachment' }],
  });
  for (const { inbox_id } of members) {
    const messages = await mailroom.messages(inbox_id, 2, client);
    await client.inboxes.messages.update(inbox_id, messages[0]!.message_id, { add_labels: ['todo', 'spam'] });
    await client.inboxes.threads.update(inbox_id, messages[1]!.thread_id, { add_labels: ['later'] });
  }
  return members;
}

/** Text that no compression makes small: every line is another number of a fixed sequence. */
const large = Array.from({ length: 4000 }, (_, n) => ((n * 2654435761) % 4294967296).toString(36)).join('\n');
