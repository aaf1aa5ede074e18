import { AwsError } from '../aws-error.ts';
import type { Weather } from '../weather.ts';

/** Works off the entries of a batch, each with its own outcome; the batch itself must be well formed. */
export function batch<Entry extends { Id: string }>(
  weather: Weather,
  entries: Entry[],
  work: (entry: Entry) => object | void,
): object {
  if (entries.length === 0) throw new AwsError('EmptyBatchRequest', 'There should be at least one entry.');
  if (entries.length > 10) {
    const message = `Maximum number of entries per request are 10. You have sent ${entries.length}.`;
    throw new AwsError('TooManyEntriesInBatchRequest', message);
  }
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw new AwsError('BatchEntryIdsNotDistinct', 'Two or more batch entries have the same Id.');
  }
  const odd = entries.find(({ Id }) => !/^[\w-]{1,80}$/.test(Id));
  if (odd !== undefined) throw new AwsError('InvalidBatchEntryId', `The Id "${odd.Id}" is not valid.`);
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of entries) {
    if (weather.strikes('partial-batch')) {
      Failed.push({ Id: entry.Id, Code: 'InternalError', Message: 'Please try again.', SenderFault: false });
      continue;
    }
    try {
      Successful.push({ Id: entry.Id, ...work(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({ Id: entry.Id, Code: error.code, Message: error.message, SenderFault: true });
    }
  }
  return { Successful, Failed };
}
