import { about, type UseCase } from '../contract/call.ts';
import type { Settings } from '../contract/organization.ts';
import type { Now, SettingsStore } from './ports.ts';

/** What holds for the whole mailroom. */
export const getSettings =
  ({ settings }: { settings: SettingsStore }): UseCase<'operator.settings.get'> =>
  () =>
    settings.get();

/** Changes it. Sending that is paused waits: nothing is lost by it. */
export const updateSettings =
  ({ settings, now }: { settings: SettingsStore; now: Now }): UseCase<'operator.settings.update'> =>
  async ({ body, deed }) => {
    const changed: Settings = { ...body, updated_at: new Date(now()).toISOString() };
    about(deed, ['settings']);
    await settings.update(changed, deed);
    return changed;
  };
