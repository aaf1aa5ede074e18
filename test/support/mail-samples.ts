import { createHash } from 'node:crypto';
import type { Deed } from '../../lib/contract/call.ts';
import type { Notice } from '../../lib/contract/notice.ts';
import type { InboxRef, KeyPrincipal } from '../../lib/contract/principal.ts';
import { scopeOfInbox } from '../../lib/contract/scope.ts';
import type { ParsedFile, ParsedMail } from '../../lib/core/mail.ts';
import type { StoredMessage } from '../../lib/core/mail-ports.ts';

export const mailDomain = 'mail.example.com';
export const organizationId = 'org_01k0000000000000000000000a';

export const inboxRef = (name = 'ada', organization_id = organizationId): InboxRef => ({
  uid: `inb_${name}`,
  inbox_id: `${name}@${mailDomain}`,
  organization_id,
  pod_id: organization_id,
});

export const keyPrincipal = (more: Partial<KeyPrincipal> = {}): KeyPrincipal => ({
  kind: 'key',
  scope: { organization_id: organizationId },
  api_key_id: 'key_1',
  keyid: 'thumbprint-1',
  ...more,
});

/** A key that may do all with messages and see nothing that is hidden. */
export const modest = keyPrincipal({
  permissions: { message_read: true, message_update: true, message_delete: true },
});

/** A call that leaves nothing behind but what a test gives it. */
export const newDeed = (more: Partial<Deed> = {}): Deed => ({ written: false, ...more });

/** What every call on an inbox carries beside its input. */
export const callIn = (
  inbox: InboxRef,
  principal: KeyPrincipal = keyPrincipal(),
  deed: Deed = newDeed(),
) => ({
  ...{ principal, inbox, deed },
  scope: scopeOfInbox(inbox),
});

const crockford = '0123456789abcdefghjkmnpqrstvwxyz';
/** A ULID by number: a greater n is a later message. */
export const ulidAt = (n: number): string => {
  let text = '';
  for (let left = n, at = 0; at < 23; at++, left = Math.floor(left / 32)) text = crockford[left % 32] + text;
  return `01k${text}`;
};

export const sampleMessage = (n: number, more: Partial<StoredMessage> = {}): StoredMessage => {
  const { uid, inbox_id, organization_id, pod_id } = inboxRef();
  return {
    ...{ uid, inbox_id, organization_id, pod_id },
    message_id: `msg_${ulidAt(n)}`,
    thread_id: `thr_${ulidAt(0)}`,
    labels: ['received', 'unread'],
    timestamp: new Date(1_700_000_000_000 + n * 1000).toISOString(),
    from: `sender${n % 7}@sender.test`,
    to: [inbox_id],
    subject: `Subject ${n}`,
    preview: `Preview ${n}`,
    size: 1000 + n,
    body: 'none',
    updated_at: '2026-01-01T00:00:00.000Z',
    created_at: '2026-01-01T00:00:00.000Z',
    ...more,
  };
};

export const pass: Notice['verdicts'] = {
  spf: 'PASS',
  dkim: 'PASS',
  dmarc: 'PASS',
  spam: 'PASS',
  virus: 'PASS',
};

let notices = 0;
export const sampleNotice = (more: Partial<Notice> = {}): Notice => {
  const ses_id = more.ses_id ?? `ses${++notices}`;
  return {
    ses_id,
    key: `incoming/${ses_id}`,
    timestamp: new Date(1_700_000_000_000 + notices * 1000).toISOString(),
    source: 'bob@sender.test',
    recipients: [`ada@${mailDomain}`],
    envelope: 'given',
    verdicts: pass,
    ...more,
  };
};

/** What the parser makes of a mail; its digest is that of what it says. */
export const sampleMail = (more: Partial<ParsedMail> = {}): Omit<ParsedFile, typeof Symbol.asyncDispose> => {
  const mail: ParsedMail = {
    from: 'Bob <bob@sender.test>',
    to: [`ada@${mailDomain}`],
    headers: {},
    text: 'Hello',
    extracted_text: 'Hello',
    preview: 'Hello',
    attachments: [],
    ...more,
  };
  return { mail, digest: createHash('sha256').update(JSON.stringify(mail)).digest('hex'), size: 500 };
};
