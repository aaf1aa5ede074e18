import { AwsError } from '../../aws-error.ts';
import type { Weather } from '../../weather.ts';
import { validation } from '../errors.ts';
import type { Table } from '../store/table.ts';
import { itemPlace } from '../store/table.ts';
import type { Item } from '../value/attribute-value.ts';

/** Why one item cancelled a transaction; `None` for those that did not. */
export interface Reason {
  Code: string;
  Message?: string;
  Item?: unknown;
}

export const NO_REASON: Reason = { Code: 'None' };

export function cancelled(reasons: Reason[]): AwsError {
  const codes = reasons.map(({ Code }) => Code).join(', ');
  return new AwsError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { fields: { CancellationReasons: reasons } },
  );
}

/** Bad weather: another transaction holds one of the items. */
export function conflict(count: number, weather: Weather): AwsError {
  const struck = Math.floor(weather.random() * count);
  const reason = { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' };
  return cancelled(Array.from({ length: count }, (_, at) => (at === struck ? reason : NO_REASON)));
}

/** Refuses a transaction that names an item twice. */
export function distinctItems(items: readonly { table: Table; key: Item }[]): void {
  const seen = new Set<string>();
  for (const { table, key } of items) {
    const { space, hash, position } = itemPlace(table, key);
    const place = `${space}/${hash.toString('latin1')}/${position.toString('latin1')}`;
    if (seen.has(place))
      throw validation('Transaction request cannot include multiple operations on one item');
    seen.add(place);
  }
}
