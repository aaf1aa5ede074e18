/** Quotas of Lambda, in bytes unless named otherwise (Lambda developer guide, "Lambda quotas"). */
export const limits = {
  syncRequest: 6 * 1024 * 1024,
  asyncRequest: 1024 * 1024,
  /** The service allows a hundred bytes above 6 MB. */
  response: 6 * 1024 * 1024 + 100,
  environment: 4 * 1024,
  resourcePolicy: 20 * 1024,
} as const;
