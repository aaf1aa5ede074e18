import type { Seal } from '../../contract/ledger.ts';
import type { SealHead, SealStore } from '../../core/ledger-ports.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { sealHeadKey, sealKey, sealPk } from './keys.ts';
import { getRow, queryRange } from './rows.ts';
import { transact } from './transaction.ts';

const toSeal = ({ pk: _pk, sk: _sk, v: _v, ...row }: Row): Seal => row as Seal;

/** The chain of seals of each organization, and its head, which move together. */
export const sealStore = (database: Database): SealStore => ({
  async head(organizationId) {
    const row = await getRow(database, sealHeadKey(organizationId));
    if (row === undefined) return undefined;
    const { pk: _pk, sk: _sk, v: _v, ...head } = row;
    return head as SealHead;
  },

  async append(seal, head, before) {
    const outcome = await transact<'moved'>(database, [
      {
        put: { ...sealKey(seal.organization_id, seal.number), v: rowVersion, ...seal },
        condition: 'attribute_not_exists(pk)',
        otherwise: 'moved',
      },
      {
        put: { ...sealHeadKey(seal.organization_id), v: rowVersion, ...head },
        ...(before === undefined
          ? { condition: 'attribute_not_exists(pk)' }
          : {
              condition: '#number = :number AND #hash = :hash',
              names: { '#number': 'number', '#hash': 'hash' },
              values: { ':number': before.number, ':hash': before.hash },
            }),
        otherwise: 'moved',
      },
    ]);
    return outcome === 'done' ? 'sealed' : 'moved';
  },

  async list(organizationId, { limit, ascending, after }) {
    const { rows, last } = await queryRange(database, {
      partition: sealPk(organizationId),
      // Digits only: the head sorts behind them.
      from: '0',
      to: '9'.repeat(12),
      limit,
      ascending,
      ...(after && { after }),
    });
    return { items: rows.map(toSeal), ...(last && { next: last }) };
  },
});
