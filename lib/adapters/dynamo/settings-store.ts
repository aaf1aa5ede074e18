import type { Settings } from '../../contract/organization.ts';
import type { SettingsStore } from '../../core/ports.ts';
import { rowVersion, type Database, type Row } from './client.ts';
import { transactDeed } from './deed.ts';
import { settingsKey } from './keys.ts';
import { getRow } from './rows.ts';

/** Settings nobody has changed. */
const initial: Settings = { sending: 'on' };

/** The settings of the mailroom, one row. */
export const settingsStore = (database: Database): SettingsStore => ({
  async get() {
    const row = await getRow(database, settingsKey);
    return row === undefined ? initial : toSettings(row);
  },

  async update(settings, deed) {
    await transactDeed(database, deed, [{ put: { ...settingsKey, v: rowVersion, ...settings } }]);
  },
});

const toSettings = ({ pk: _pk, sk: _sk, v: _v, ...row }: Row): Settings => row as Settings;
