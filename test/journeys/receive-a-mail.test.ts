import { describe, expect, it } from 'vitest';
import { domain, sharedMailroom } from '../support/mailroom.ts';

const mailroom = sharedMailroom();

describe('a mail', () => {
  it('arrives', async () => {
    const client = mailroom.client();
    const inbox = await mailroom.inbox();
    await mailroom.send({ to: inbox, subject: 'one' });
    const m = await mailroom.message(inbox, 'one');
    console.log(m, mailroom.cloud.refs, mailroom.printed);
    expect(domain).toBe('posthorn.test');
    await mailroom.quiet();
  });
});
