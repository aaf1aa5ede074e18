import type { EventType } from './webhook.ts';

/** Something that happened in an inbox: ids and headers only, no bodies. Written with the change it tells of. */
export interface MailEvent {
  event_id: string;
  event_type: EventType | 'message.labeled' | 'message.deleted' | 'thread.labeled' | 'thread.deleted';
  organization_id: string;
  pod_id: string;
  inbox_id: string;
  thread_id?: string;
  message_id?: string;
  timestamp: string;
  /** All labels after the event. */
  labels?: string[];
  added?: string[];
  removed?: string[];
  from?: string;
  to?: string[];
  subject?: string;
}

/** An event with its place in the log of its inbox, counted from 1. */
export interface PublishedEvent extends MailEvent {
  position: number;
}
