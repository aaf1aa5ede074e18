import { receiving } from '../../lib/adapters/receiving.ts';
import { receiveMail } from '../../lib/core/receive-mail.ts';
import { readEnv } from '../../lib/edge/env.ts';
import { queueDoor } from '../../lib/edge/queue.ts';
import { sesNotice } from '../../lib/edge/ses-notice.ts';
import { env } from './env.ts';

const receive = receiveMail(receiving(readEnv(env), Date.now));

/** SQS: a mail has landed in the bucket. */
export const handler = queueDoor({ parse: sesNotice, run: async (notice) => notice && receive(notice) });
