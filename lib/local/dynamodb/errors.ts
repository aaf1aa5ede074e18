import { AwsError } from '../aws-error.ts';

/** The request itself is wrong; the SDK does not repeat it. */
export function validation(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

/** `ValidationException` for one parameter, in the words DynamoDB uses for most of them. */
export function invalidParameter(message: string): AwsError {
  return validation(`One or more parameter values were invalid: ${message}`);
}

/** A JSON member has another type than the model says. */
export function serialization(message: string): AwsError {
  return new AwsError('SerializationException', message);
}

/** The table, index or stream is not there. */
export function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message);
}

/** A condition did not hold; `item` is what stands there instead, when the caller asked for it. */
export function conditionFailed(item: unknown): AwsError {
  const fields = item === undefined ? {} : { Item: item };
  return new AwsError('ConditionalCheckFailedException', 'The conditional request failed', { fields });
}
