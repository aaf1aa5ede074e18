import type { Notice } from '../contract/notice.ts';
import { inferNotice, noticeMs } from './infer-notice.ts';
import type { MailObjects } from './mail-ports.ts';
import type { Now } from './ports.ts';

export interface ReconcileDeps {
  objects: Pick<MailObjects, 'leftIncoming'>;
  receive: (notice: Notice) => Promise<void>;
  now: Now;
  report: (error: unknown, about: Record<string, unknown>) => void;
}

/**
 * Takes in what lies in `incoming/` after ten minutes: its notice was lost, or failed too often. What is not begun
 * while it may be is left to the next run.
 */
export const reconcile =
  ({ objects, receive, now, report }: ReconcileDeps) =>
  async (mayBegin: () => boolean): Promise<void> => {
    for (const left of await objects.leftIncoming(now() - noticeMs)) {
      if (!mayBegin()) return;
      const notice = inferNotice(left);
      try {
        if (notice === undefined)
          throw new Error('the mail has no trace headers of SES that name a recipient');
        await receive(notice);
      } catch (error) {
        report(error, { key: left.key });
      }
    }
  };
