/** Bytes of one item, names included. */
export const MAX_ITEM_BYTES = 400 * 1024;
/** Bytes a query or scan reads for one page. */
export const MAX_PAGE_BYTES = 1024 * 1024;
export const MAX_BATCH_GET = 100;
export const MAX_BATCH_WRITE = 25;
/** Bytes of a batch read's answer, and of any request. */
export const MAX_BATCH_BYTES = 16 * 1024 * 1024;
export const MAX_TRANSACTION_ITEMS = 100;
export const MAX_TRANSACTION_BYTES = 4 * 1024 * 1024;
