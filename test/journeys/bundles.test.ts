import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFailed, vi } from 'vitest';
import { openCloud, type Resources } from '../support/local-cloud.ts';
import { smtpClient } from '../support/smtp-client.ts';

vi.setConfig({ testTimeout: 120_000 });

it('the bundles that are deployed take a mail in and hand it out, as the sources do', async () => {
  const assembly = await mkdtemp(join(tmpdir(), 'posthorn-'));
  let functions: Resources[string][] = [];
  const open = await openCloud({
    bundles: assembly,
    // What runs is what the asset holds: the sources are named nowhere.
    edit: (resources) => {
      functions = Object.values(resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
      for (const { Metadata } of functions) delete Metadata['posthorn:entry'];
    },
  });
  onTestFailed(() => console.log(open.printed.join('\n')));
  try {
    const client = await open.client();
    await client.inboxes.create({ username: 'otter' });
    const sender = smtpClient(open.cloud.smtp);
    const content = Buffer.from('%PDF- the numbers');
    await sender.send({
      to: 'otter@posthorn.test',
      subject: 'Numbers',
      text: 'Here they are.\r\n\r\nOn Mon, 16 Nov 2026 at 09:12, Otter <otter@posthorn.test> wrote:\r\n> Where are they?',
      attachments: [{ filename: 'numbers.pdf', content }],
    });
    await sender.send({ to: 'nobody@posthorn.test' });
    sender.close();
    const { message_id } = await vi.waitFor(async () => {
      const { messages } = await client.inboxes.messages.list('otter@posthorn.test', { labels: ['unread'] });
      expect(messages).toHaveLength(1);
      return messages[0]!;
    }, 30_000);
    const message = await client.inboxes.messages.get('otter@posthorn.test', message_id);
    expect(message).toMatchObject({
      subject: 'Numbers',
      extracted_text: expect.stringMatching(/^Here they are\.\s*$/),
      attachments: [{ filename: 'numbers.pdf', size: content.length }],
      authentication: { spf: 'PASS', dmarc: 'PASS' },
    });
    expect(message.parse_error).toBeUndefined();
    const [attachment] = message.attachments!;
    const { download_url } = await client.inboxes.messages.getAttachment(
      'otter@posthorn.test',
      message_id,
      attachment!.attachment_id,
    );
    expect(Buffer.from(await (await fetch(download_url)).arrayBuffer())).toEqual(content);
    // run-due has a bundle too.
    open.cloud.clock.advance(60_000);
    await vi.waitFor(() => {
      expect(open.cloud.calls.list.filter(({ by }) => by.includes('duerundue'))).not.toEqual([]);
    }, 15_000);
    expect(open.cloud.iam.refusals).toEqual([]);
    expect(open.cloud.services.lambda.strayCalls).toEqual([]);

    expect(functions.length).toBeGreaterThan(5);
    for (const { Metadata } of functions) {
      const folder = join(assembly, Metadata['aws:asset:path']);
      const bundle = await readFile(join(folder, 'index.mjs'), 'utf8');
      // Everything is inside, the SDK too: nothing is imported but Node itself.
      const imported = [...bundle.matchAll(/(?:^|[;}])import\s*(?:[\w*{}\s,$]+?from\s*)?["']([^"']+)["']/g)];
      expect(imported.map(([, name]) => name).filter((name) => !/^(node:)?[a-z_/]+$/.test(name!))).toEqual(
        [],
      );
      expect(existsSync(join(folder, 'node_modules'))).toBe(false);
    }
    const withWorker = functions.filter(({ Metadata }) =>
      readdirSync(join(assembly, Metadata['aws:asset:path'])).includes('mime-worker.mjs'),
    );
    expect(withWorker).toHaveLength(2);
  } finally {
    await open.close();
    await rm(assembly, { recursive: true });
  }
});
