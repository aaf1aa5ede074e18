import { basename } from 'node:path';
import type { Command } from 'commander';
import nodemailer from 'nodemailer';
import { readInputBytes, several } from './input.ts';
import type { Room } from './room.ts';

interface SendOptions {
  to: string[];
  from: string;
  subject: string;
  text: string;
  file?: string;
  attach?: string[];
}

/** `posthorn send-test`: real mail by SMTP into the local cloud, from its small outside world. */
export function addSendTest(program: Command, room: Room): void {
  program
    .command('send-test')
    .description('send mail to the local cloud by SMTP')
    .requiredOption('--to <address>', 'a recipient; may be given several times', several)
    .option(
      '--from <address>',
      'the sender; sender.test authenticates, forger.test does not',
      'alice@sender.test',
    )
    .option('--subject <subject>', 'the subject', 'A test')
    .option('--text <text>', 'the text', 'Hello from posthorn send-test.')
    .option('--attach <file>', 'a file to attach; may be given several times', several)
    .option('--file <mail>', 'send this mail (.eml) as it is instead')
    .action(async (options: SendOptions, command: Command) => {
      const { smtp } = room.connection(command).local();
      // The certificate of the local cloud is its own; over loopback plain SMTP shows no less.
      const transport = nodemailer.createTransport({
        host: smtp.host,
        port: smtp.port,
        ignoreTLS: true,
        name: options.from.split('@').at(-1) ?? 'localhost',
      });
      try {
        const { accepted, rejected, response, messageId } = await transport.sendMail(
          await mailOf(options, room),
        );
        room.print({
          accepted,
          rejected,
          response,
          ...(options.file === undefined && { message_id: messageId }),
        });
      } finally {
        transport.close();
      }
    });
}

async function mailOf({ to, from, subject, text, file, attach = [] }: SendOptions, { shell }: Room) {
  const envelope = { from, to };
  if (file !== undefined) return { envelope, raw: await readInputBytes(file, shell) };
  const attachments = await Promise.all(
    attach.map(async (path) => ({ filename: basename(path), content: await readInputBytes(path, shell) })),
  );
  return { envelope, from, to, subject, text, attachments };
}
