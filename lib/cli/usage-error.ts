/** The command was not given what it needs: exit code 2, where a refusal by the server is 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
