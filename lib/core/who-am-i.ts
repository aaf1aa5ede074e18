import type { UseCase } from '../contract/call.ts';

/** Tells a caller its own scope, from the credential alone. */
export const whoAmI =
  (): UseCase<'auth.me'> =>
  async ({ principal, scope: { organization_id, pod_id, inbox } }) => {
    const base = { organization_id, api_key_id: principal.api_key_id };
    if (inbox !== undefined)
      return {
        ...base,
        scope_type: 'inbox',
        scope_id: inbox.inbox_id,
        pod_id: inbox.pod_id,
        inbox_id: inbox.inbox_id,
      };
    if (pod_id !== undefined) return { ...base, scope_type: 'pod', scope_id: pod_id, pod_id };
    return { ...base, scope_type: 'organization', scope_id: organization_id };
  };
