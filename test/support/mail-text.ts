export interface MailText {
  id?: string;
  from?: string;
  to?: string;
  subject?: string;
  inReplyTo?: string;
  references?: string[];
  text?: string;
}

/** A plain mail with just the headers that threads are made of. */
export function mailText({
  id,
  from = 'Alice <alice@sender.test>',
  to,
  subject = 'A thread',
  inReplyTo,
  references,
  text = 'Hello.',
}: MailText): string {
  const headers = {
    From: from,
    To: to,
    Subject: subject,
    'Message-ID': id && `<${id}>`,
    'In-Reply-To': inReplyTo && `<${inReplyTo}>`,
    References: references?.map((one) => `<${one}>`).join('\n '),
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return `${lines.join('\n')}\n\n${text}\n`;
}
