/** An error as an AWS service answers it. Each service turns it into the form of its own protocol. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** Members beside the message, such as a transaction's CancellationReasons. */
  readonly fields: Record<string, unknown>;

  constructor(
    code: string,
    message: string,
    options: { status?: number; fields?: Record<string, unknown> } = {},
  ) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = options.status ?? 400;
    this.fields = options.fields ?? {};
  }
}
