/** Why a request's signature does not count. */
export type SignatureFault =
  | 'missing'
  | 'malformed'
  | 'unknown-key'
  | 'expired-token'
  | 'mismatch'
  | 'skewed'
  | 'expired-url'
  | 'unsigned-headers';

/** A request that cannot be told to come from the holder of a key. */
export class SignatureError extends Error {
  readonly fault: SignatureFault;

  constructor(fault: SignatureFault, message: string) {
    super(message);
    this.name = 'SignatureError';
    this.fault = fault;
  }
}
