import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';

const common = {
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
};
const request = z.object({
  ...common,
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  PhysicalResourceId: z.string().optional(),
  ResourceProperties: z.record(z.string(), z.unknown()),
  OldResourceProperties: z.record(z.string(), z.unknown()).optional(),
});

/** What CloudFormation asks of a custom resource; every scalar property is a string. */
export type CustomResourceRequest = z.output<typeof request>;

/**
 * Door for a custom resource. `act` returns the physical id; another one than before makes CloudFormation delete
 * the old one. CloudFormation is always answered: errors as FAILED with their message, and so is running out of time.
 */
export const customResourceDoor =
  (act: (request: CustomResourceRequest) => Promise<string>) =>
  async (event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<void> => {
    // Parsed on its own, so that a malformed request is answered too.
    const { ResponseURL, ...ids } = z.object(common).parse(event);
    const before = z.object({ PhysicalResourceId: z.string().optional() }).parse(event).PhysicalResourceId;
    const outOfTime = new AbortController();
    try {
      const physicalId = await Promise.race([
        Promise.resolve(event).then(request.parse).then(act),
        giveUp(context.getRemainingTimeInMillis() - answerTime, outOfTime.signal),
      ]);
      await answer(ResponseURL, { Status: 'SUCCESS', PhysicalResourceId: physicalId, ...ids });
    } catch (error) {
      console.error(error);
      const reason = error instanceof Error ? error.message : String(error);
      // A create that failed is deleted with this id.
      const failed = {
        Status: 'FAILED',
        Reason: reason.slice(0, 1000),
        PhysicalResourceId: before ?? 'failed',
      };
      await answer(ResponseURL, { ...failed, ...ids });
    } finally {
      outOfTime.abort();
    }
  };

// Kept back of the function's time, in ms.
const answerTime = 10_000;

async function giveUp(after: number, signal: AbortSignal): Promise<never> {
  await wait(after, undefined, { signal });
  throw new Error('it was not done in time; its log says how far it came');
}

async function answer(url: string, body: Record<string, string>, attempts = 3): Promise<void> {
  try {
    // As bytes: fetch names a content type for a string, and the URL is signed for none.
    const response = await fetch(url, { method: 'PUT', body: Buffer.from(JSON.stringify(body)) });
    if (!response.ok) throw new Error(`CloudFormation's answer box said ${response.status}`);
  } catch (error) {
    if (attempts === 1) throw error;
    await answer(url, body, attempts - 1);
  }
}
