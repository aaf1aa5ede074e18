import type { Command } from 'commander';
import type { RedriveOptions } from './bring-back.ts';
import { wholeNumber } from './input.ts';
import type { Room } from './room.ts';
import { UsageError } from './usage-error.ts';

const explanation = `
Without a queue it lists all of them. It uses AWS credentials (those of local.json for the local cloud; say --url for
another) that may sqs:ListQueues, ListQueueTags, GetQueueAttributes, ListDeadLetterSourceQueues, StartMessageMoveTask,
ListMessageMoveTasks, ReceiveMessage and DeleteMessage, and sqs:SendMessage to the queue that messages go back to.
Everything may be moved twice: nothing is done twice for it. Remove the cause first: docs/runbook.md.`;

/** `posthorn redrive`: the way back from the dead-letter queues. */
export function addRedrive(program: Command, room: Room): void {
  program
    .command('redrive')
    .description('bring back what a function failed at for good; signs with AWS credentials')
    .argument('[queue]', 'the function whose dead letters come back, such as receive-mail')
    .option('--list', 'only look')
    .option('--stack <name>', 'the deployment, such as posthorn-prod; needed where there are several')
    .option('--max-per-second <number>', 'messages moved in a second, 1 to 500', perSecond)
    .option('--forget', 'delete the messages of a queue that nothing can be brought back from')
    .addHelpText('after', explanation)
    .action(async (queue: string | undefined, options: RedriveOptions, command: Command) => {
      // Loaded here: the client takes longer to load than any other command to run.
      const [{ createSqs }, { bringBack }] = await Promise.all([
        import('./sqs.ts'),
        import('./bring-back.ts'),
      ]);
      const sqs = createSqs(room.shell.env, room.connection(command).nearby());
      try {
        for await (const answer of bringBack(sqs, queue, options)) room.print(answer);
      } finally {
        sqs.destroy();
      }
    });
}

function perSecond(text: string): number {
  const number = wholeNumber(text);
  if (number < 1 || number > 500) throw new UsageError('--max-per-second is 1 to 500');
  return number;
}
