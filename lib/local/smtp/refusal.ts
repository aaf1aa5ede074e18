/** An SMTP answer that refuses: 4xx to come again, 5xx for good. The message is the reply's text. */
export class Refusal extends Error {
  /** Where smtp-server looks for the reply code. */
  readonly responseCode: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'Refusal';
    this.responseCode = code;
  }
}
