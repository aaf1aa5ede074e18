/**
 * As `Promise.all`, but when one fails it waits for the others first: what is still under way when a function answers
 * goes out after its answer, when Lambda has frozen it.
 */
export async function together<const Work extends readonly unknown[]>(
  work: Work,
): Promise<{ -readonly [At in keyof Work]: Awaited<Work[At]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
