import type { Caller, Query } from './caller.ts';
import { items } from './pages.ts';

type List = Query<'audit.list'>;
type Seals = Query<'audit.seals'>;

/** Who did what in everything of the key's scope, and the seals over it. */
export const audit = (call: Caller) => {
  const list = (query: List = {}) => call('audit.list', { query });
  const seals = (query: Seals = {}) => call('audit.seals', { query });
  return {
    list,
    all: (query: List = {}) => items(list, (page) => page.lines, query),
    /** Oldest first; for keys of the whole organization. */
    seals,
    allSeals: (query: Seals = {}) => items(seals, (page) => page.seals, query),
  };
};

/** The ledger of one pod or one inbox. */
export const podAudit = (call: Caller) => ({
  list: (pod_id: string, query: List = {}) => call('pods.audit.list', { path: { pod_id }, query }),
});
export const inboxAudit = (call: Caller) => ({
  list: (inbox_id: string, query: List = {}) => call('inboxes.audit.list', { path: { inbox_id }, query }),
});

/** The ledger of any organization, for the operator. */
export const operatorAudit = (call: Caller) => {
  const at = (organization_id: string) => ({ path: { organization_id } });
  const list = (id: string, query: List = {}) => call('operator.audit.list', { ...at(id), query });
  const seals = (id: string, query: Seals = {}) => call('operator.audit.seals', { ...at(id), query });
  return {
    list,
    all: (id: string, query: List = {}) =>
      items(
        (page: List) => list(id, page),
        (page) => page.lines,
        query,
      ),
    seals,
    allSeals: (id: string, query: Seals = {}) =>
      items(
        (page: Seals) => seals(id, page),
        (page) => page.seals,
        query,
      ),
    /** Forgets one personal value behind the lines, or all; the lines stay, and stay valid. */
    erase: (id: string, what: { value: string } | { all: true }) =>
      call('operator.audit.erase', { ...at(id), body: what }),
  };
};
