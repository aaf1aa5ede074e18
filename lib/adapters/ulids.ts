import { monotonicFactory } from 'ulid';
import type { NewUlid } from '../core/ports.ts';

const next = monotonicFactory();

/** ULIDs in lower case, as ids and sort keys use them; those of one process never go back. */
export const newUlid: NewUlid = (time) => next(time).toLowerCase();
