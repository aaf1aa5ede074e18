import * as z from 'zod';
import { announced, events, type Announced } from './event.ts';
import { inbox } from './inbox.ts';
import { message } from './message.ts';
import { threadItem } from './thread.ts';

/** A body, or the headers, of more bytes than this is left out of what a webhook is told; the API has it. */
export const largestPart = 64 * 1024;

const envelope = <Type extends Announced>(type: Type) => ({
  type: z.literal('event'),
  event_type: z.literal(type),
  /** The place in the log of its inbox (`inbox_uid`), or of its organization: what sorts. */
  position: z.number(),
});

/** The message as the API shows it; `from_` repeats `from` for languages where that is a keyword. */
const toldMessage = message.extend({ from_: z.string() });

const received = <Type extends Announced>(type: Type) =>
  z.object({
    ...envelope(type),
    event_id: z.string(),
    timestamp: z.string(),
    organization_id: z.string(),
    pod_id: z.string(),
    inbox_id: z.string(),
    inbox_uid: z.string(),
    message: toldMessage,
    thread: threadItem,
  });

const ofInbox = <Type extends 'inbox.created' | 'inbox.updated' | 'inbox.expiring'>(type: Type) =>
  events[type].extend({
    ...envelope(type),
    /** As it stands when it is told. */
    inbox,
  });

const plain = (type: Announced) => events[type].extend(envelope(type));

const special: Partial<Record<Announced, z.ZodObject>> = {
  'message.received': received('message.received'),
  'message.received.spam': received('message.received.spam'),
  'message.received.blocked': received('message.received.blocked'),
  'message.received.unauthenticated': received('message.received.unauthenticated'),
  'inbox.created': ofInbox('inbox.created'),
  'inbox.updated': ofInbox('inbox.updated'),
  'inbox.expiring': ofInbox('inbox.expiring'),
};

/** What a webhook receives, by the type of the event. */
export const webhookPayloads = Object.fromEntries(
  announced.map((type) => [type, special[type] ?? plain(type)]),
) as Record<Announced, z.ZodObject>;

/** Types whose body holds content of an inbox, sender and subject too: what goes when the inbox goes. */
export const contentTypes: readonly Announced[] = [
  ...(Object.keys(special) as Announced[]),
  'message.refused',
];
