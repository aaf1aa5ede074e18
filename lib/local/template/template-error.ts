/** A template this machine cannot deploy faithfully. The message names the logical id and the path inside it. */
export class TemplateError extends Error {
  /** Where it stands, such as `Resources.MailBucket.Properties.BucketName`. */
  readonly at: string;

  constructor(at: string, problem: string) {
    super(`${at}: ${problem}`);
    this.name = 'TemplateError';
    this.at = at;
  }
}
