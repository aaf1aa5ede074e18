import { Problem } from '../contract/problem.ts';
import type { Nonces } from './caller.ts';
import type { Visit } from './visit.ts';

/** Spends the nonce of a write that has no transaction of its own to do it in. Throws a `Problem` when it was used. */
export async function spendBefore(visit: Visit, nonces: Nonces | undefined): Promise<void> {
  if (visit.matched?.route.nonce !== 'transaction') await spend(visit, nonces);
}

/** Spends what is still unspent when the use case is through: it refused, or had nothing to write. */
export async function spendAfterwards(visit: Visit, nonces: Nonces | undefined): Promise<void> {
  if (visit.matched !== undefined) await spend(visit, nonces);
}

async function spend({ caller }: Visit, nonces: Nonces | undefined): Promise<void> {
  const once = caller?.once;
  if (once === undefined || once.spent) return;
  if (nonces === undefined) throw new Error('A door whose callers sign needs nonces');
  const outcome = await nonces.claim(once);
  once.spent = true;
  if (outcome === 'used')
    throw new Problem('nonce_used', 'this signature was used before', {
      fix: 'Sign each attempt anew, with a fresh nonce.',
    });
}
