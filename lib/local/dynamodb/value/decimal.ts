import { validation } from '../errors.ts';

/**
 * A DynamoDB number: `digits` without leading and trailing zeros, read as d.ddd × 10^exponent.
 * 38 significant digits, 1E-130 to 9.99…E+125.
 */
export interface Decimal {
  sign: -1 | 0 | 1;
  digits: string;
  exponent: number;
}

const WRITTEN = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;
/** Numbers that are already as DynamoDB writes them, and that a double holds exactly. */
const PLAIN = /^(?:0|-?[1-9]\d{0,14})$/;
const ZERO: Decimal = { sign: 0, digits: '0', exponent: 0 };

/** Reads a number as a client wrote it. Throws ValidationException where DynamoDB would not store it. */
export function readDecimal(text: string): Decimal {
  const match = WRITTEN.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (match === null || whole + fraction === '') {
    throw validation(`The parameter cannot be converted to a numeric value${text === '' ? '' : `: ${text}`}`);
  }
  return decimalOf(match[1] === '-' ? -1 : 1, whole + fraction, Number(match[4] ?? 0) - fraction.length);
}

/** sign × coefficient × 10^scale, within DynamoDB's limits. */
function decimalOf(sign: -1 | 1, coefficient: string, scale: number): Decimal {
  const leading = coefficient.replace(/^0+/, '');
  if (leading === '') return ZERO;
  const digits = leading.replace(/0+$/, '');
  const exponent = leading.length - 1 + scale;
  if (exponent > 125) {
    throw validation(
      'Number overflow. Attempting to store a number with magnitude larger than supported range',
    );
  }
  if (exponent < -130) {
    throw validation(
      'Number underflow. Attempting to store a number with magnitude smaller than supported range',
    );
  }
  if (digits.length > 38) throw validation('Attempting to store more than 38 significant digits in a Number');
  return { sign, digits, exponent };
}

/** The one spelling DynamoDB answers with: no exponent, no superfluous zero, no plus. */
export function writeDecimal({ sign, digits, exponent }: Decimal): string {
  if (sign === 0) return '0';
  const minus = sign < 0 ? '-' : '';
  if (exponent < 0) return `${minus}0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return minus + digits.padEnd(exponent + 1, '0');
  return `${minus}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** The number's one spelling; throws ValidationException for what is no DynamoDB number. */
export function normalizeNumber(text: string): string {
  return PLAIN.test(text) ? text : writeDecimal(readDecimal(text));
}

/** Sum of two numbers as stored. Throws where the sum needs more than 38 digits. */
export function addNumbers(left: string, right: string): string {
  const a = readDecimal(left);
  const b = readDecimal(right);
  const scale = Math.min(lastPlace(a), lastPlace(b));
  const sum = scaled(a, scale) + scaled(b, scale);
  const sign = sum < 0n ? -1 : 1;
  return writeDecimal(decimalOf(sign, (sum < 0n ? -sum : sum).toString(), scale));
}

/** `left` - `right`. */
export function subtractNumbers(left: string, right: string): string {
  return addNumbers(left, right.startsWith('-') ? right.slice(1) : `-${right}`);
}

function lastPlace({ digits, exponent }: Decimal): number {
  return exponent - digits.length + 1;
}

function scaled(decimal: Decimal, scale: number): bigint {
  return BigInt(decimal.sign) * BigInt(decimal.digits) * 10n ** BigInt(lastPlace(decimal) - scale);
}

/** Negative, zero or positive as `left` is less than, equal to or greater than `right`. */
export function compareNumbers(left: string, right: string): number {
  if (PLAIN.test(left) && PLAIN.test(right)) return Number(left) - Number(right);
  return Buffer.compare(encodeNumber(left), encodeNumber(right));
}

/**
 * Bytes that sort as the numbers do: sign, exponent, then two digits a byte. Those of a negative number are
 * inverted and closed by 0xff, so that the longer of two equal beginnings sorts first.
 */
export function encodeNumber(text: string): Buffer {
  const { sign, digits, exponent } = readDecimal(text);
  if (sign === 0) return Buffer.of(0x80);
  const bytes = [exponent + 130];
  for (let at = 0; at < digits.length; at += 2)
    bytes.push(Number(digits.slice(at, at + 2).padEnd(2, '0')) + 1);
  if (sign > 0) return Buffer.from([0xc0, ...bytes]);
  return Buffer.from([0x40, ...bytes.map((byte) => 255 - byte), 0xff]);
}
