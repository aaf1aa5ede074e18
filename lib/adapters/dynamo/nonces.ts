import type { Once } from '../../contract/call.ts';
import { rowVersion, type Row } from './client.ts';
import { nonceKey } from './keys.ts';
import { table } from './table.ts';
import type { Write } from './transaction.ts';

const absent = 'attribute_not_exists(pk)';
const nonceRow = ({ key, expires }: Once): Row => ({ ...nonceKey(key), v: rowVersion, [table.ttl]: expires });

/** The claim of a nonce, as one more write of the transaction it protects. */
export const nonceWrite = <Word extends string>(once: Once, otherwise: Word): Write<Word> => ({
  put: nonceRow(once),
  condition: absent,
  otherwise,
});
