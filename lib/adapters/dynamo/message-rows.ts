import type { StoredMessage } from '../../core/mail-ports.ts';
import { rowVersion, type Row } from './client.ts';

/** The attributes of a message row beside its key. */
export const messageRow = (message: StoredMessage): Row => ({ v: rowVersion, ...message });

export const toMessage = ({ pk: _pk, sk: _sk, v: _v, ...row }: Row): StoredMessage => row as StoredMessage;
