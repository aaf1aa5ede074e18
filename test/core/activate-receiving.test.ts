import { describe, expect, it } from 'vitest';
import {
  activateReceiving,
  type ReceiptRule,
  ReceivingRefused,
  stopReceiving,
} from '../../lib/core/activate-receiving.ts';
import { memoryRules } from './memory-receipt-rules.ts';

const named = (name: string): ReceiptRule => ({ name, definition: { Name: name } });
const rule = named('posthorn-prod_mail');
const ours = { set: 'ours', rule };
const prefix = 'posthorn-prod_';

describe('activating', () => {
  it.each([
    ['nothing is active: ours becomes it', undefined, 'ours'],
    ['ours is active: it stays', 'ours', 'ours'],
  ])('%s', async (_case, active, after) => {
    const rules = memoryRules({ ours: [rule], theirs: [named('x')] }, active);
    expect(await activateReceiving({ rules })({ ...ours, policy: 'create' })).toBe('ours');
    expect(rules.state.active).toBe(after);
    expect(rules.state.writes).toBe(active === undefined ? 1 : 0);
  });

  it('refuses when another set is active, says what to do, and changes nothing', async () => {
    const rules = memoryRules({ ours: [rule], theirs: [named('x')] }, 'theirs');
    const refused = activateReceiving({ rules })({ ...ours, policy: 'create' });
    await expect(refused).rejects.toThrow(ReceivingRefused);
    await expect(refused).rejects.toThrow(/theirs is active .*activateReceiving=adopt/);
    expect(rules.state).toMatchObject({ active: 'theirs', writes: 0 });
  });

  it('adopts: joins the active set, twice as well as once', async () => {
    const rules = memoryRules({ ours: [rule], theirs: [named('x')] }, 'theirs');
    const activate = activateReceiving({ rules });
    expect(await activate({ ...ours, policy: 'adopt' })).toBe('theirs');
    expect(await activate({ ...ours, policy: 'adopt' })).toBe('theirs');
    expect(rules.state.active).toBe('theirs');
    expect(rules.names('theirs')).toEqual([rule.name, 'x']);
  });

  it('moves the rules that were added since when its own set is replaced, in their order', async () => {
    const added = [named('posthorn-prod_domains-1'), rule, named('foreign')];
    const rules = memoryRules({ former: added, ours: [rule] }, 'former');
    expect(await activateReceiving({ rules })({ ...ours, policy: 'create', former: 'former' })).toBe('ours');
    expect(rules.state.active).toBe('ours');
    expect(rules.names('ours')).toEqual(['posthorn-prod_domains-1', 'foreign', rule.name]);
  });
});

describe('stopping', () => {
  it('turns receiving off when only its own rules are in its own set', async () => {
    const rules = memoryRules({ ours: [rule, named('posthorn-prod_domains-1')] }, 'ours');
    await stopReceiving({ rules })({ ...ours, prefix, place: 'ours' });
    expect(rules.state.active).toBeUndefined();
  });

  it('refuses to turn off a set that others put rules into, of another stage too', async () => {
    const rules = memoryRules({ ours: [rule, named('posthorn-prod-eu_mail')] }, 'ours');
    const refused = stopReceiving({ rules })({ ...ours, prefix, place: 'ours' });
    await expect(refused).rejects.toThrow(/not of this deployment: posthorn-prod-eu_mail/);
    expect(rules.state.active).toBe('ours');
  });

  it('leaves alone what somebody else activated since', async () => {
    const rules = memoryRules({ ours: [rule], theirs: [named('x')] }, 'theirs');
    await stopReceiving({ rules })({ ...ours, prefix, place: 'ours' });
    expect(rules.state).toMatchObject({ active: 'theirs', writes: 0 });
  });

  it('takes its rule out of the set it had joined, even if that set is gone, and turns nothing off', async () => {
    const rules = memoryRules({ ours: [rule], theirs: [rule, named('x')] }, 'theirs');
    await stopReceiving({ rules })({ ...ours, prefix, place: 'theirs' });
    await stopReceiving({ rules })({ ...ours, prefix, place: 'gone' });
    expect(rules.names('theirs')).toEqual(['x']);
    expect(rules.state.active).toBe('theirs');
  });

  it('cleans up after a create whose answer was lost', async () => {
    const activated = memoryRules({ ours: [rule] }, 'ours');
    await stopReceiving({ rules: activated })({ ...ours, prefix });
    expect(activated.state.active).toBeUndefined();

    const adopted = memoryRules({ ours: [rule], theirs: [rule, named('x')] }, 'theirs');
    await stopReceiving({ rules: adopted })({ ...ours, prefix });
    expect(adopted.names('theirs')).toEqual(['x']);

    const refused = memoryRules({ ours: [rule], theirs: [named('x')] }, 'theirs');
    await stopReceiving({ rules: refused })({ ...ours, prefix });
    expect(refused.state).toMatchObject({ active: 'theirs', writes: 0 });
  });
});
