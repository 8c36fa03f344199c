// Numbers between two bounds, as grammars of their digits.
import { anyOf, inOrder, literal, nothing, repeat } from "./ebnf.ts";
import { GrammarProblem } from "./grammar-problem.ts";
import { integerDigitsMax } from "./json-text.ts";

/** Decimals of a number that has bounds: with nine digits before the point, still exact. */
const fractionDigits = 6;
/** Bounds of numbers that need not be whole, in size. */
const boundMax = 999_999_999;
const integerMax = 10 ** integerDigitsMax - 1;

/** One end of a range. */
export interface Bound {
  readonly value: number;
  readonly isExclusive: boolean;
}

/** Whole numbers between two that may be left out. */
export function integerRange(min: Bound | undefined, max: Bound | undefined): string {
  const low = min === undefined ? -integerMax : firstInteger(min);
  const high = max === undefined ? integerMax : -firstInteger(negate(max));
  if (low > high) refuseEmpty();
  if (low < -integerMax || high > integerMax) {
    throw new GrammarProblem(`expected bounds of at most ${integerDigitsMax} digits`);
  }
  const options: string[] = [];
  if (low < 0) {
    options.push(inOrder('"-"', wholeBetween(Math.max(1, -high), -low)));
  }
  if (high >= 0) options.push(wholeBetween(Math.max(0, low), high));
  return anyOf(options);
}

function firstInteger({ value, isExclusive }: Bound): number {
  const whole = Math.ceil(value);
  return isExclusive && whole === value ? whole + 1 : whole;
}

/** Numbers between two bounds, at most six decimals, no exponent. */
export function numberRange(min: Bound | undefined, max: Bound | undefined): string {
  const low = min ?? { value: -integerMax, isExclusive: false };
  const high = max ?? { value: integerMax, isExclusive: false };
  if (low.value > high.value) refuseEmpty();
  const zero = (isExclusive: boolean): Bound => ({ value: 0, isExclusive });
  const options: (string | undefined)[] = [];
  if (low.value < 0) {
    const from = high.value < 0 ? negate(high) : zero(true);
    const digits = magnitudeBetween(toDecimal(from), toDecimal(negate(low)));
    options.push(digits === undefined ? undefined : inOrder('"-"', digits));
  }
  if (high.value >= 0) {
    const from = low.value >= 0 ? low : zero(false);
    options.push(magnitudeBetween(toDecimal(from), toDecimal(high)));
  }
  const possible = options.filter((option) => option !== undefined);
  return possible.length === 0 ? refuseEmpty() : anyOf(possible);
}

function negate({ value, isExclusive }: Bound): Bound {
  return { value: -value, isExclusive };
}

interface Decimal {
  readonly whole: number;
  /** Exactly `fractionDigits` of them. */
  readonly fraction: string;
  readonly isExclusive: boolean;
}

function toDecimal({ value, isExclusive }: Bound): Decimal {
  if (value === integerMax) return { whole: value, fraction: "000000", isExclusive };
  const [whole, fraction] = value.toFixed(fractionDigits).split(".");
  if (value > boundMax || Number(`${whole}.${fraction}`) !== value) {
    const expected = `bounds of at most ${boundMax} with at most ${fractionDigits} decimals`;
    throw new GrammarProblem(`expected ${expected}, found ${value}`);
  }
  return { whole: Number(whole), fraction: fraction!, isExclusive };
}

/** Numbers without a sign; undefined if there is none. */
function magnitudeBetween(low: Decimal, high: Decimal): string | undefined {
  const options: string[] = [];
  const withWhole = (whole: string, from?: Decimal, to?: Decimal): void => {
    const fraction = fractionBetween(from, to);
    if (fraction !== undefined) options.push(inOrder(whole, fraction));
  };
  if (low.whole === high.whole) withWhole(literal(`${low.whole}`), low, high);
  else {
    withWhole(literal(`${low.whole}`), low, undefined);
    if (low.whole + 1 < high.whole) withWhole(wholeBetween(low.whole + 1, high.whole - 1));
    withWhole(literal(`${high.whole}`), undefined, high);
  }
  return options.length === 0 ? undefined : anyOf(options);
}

/** The point and the digits after it, or neither. Undefined if there is no such fraction. */
function fractionBetween(low: Decimal | undefined, high: Decimal | undefined): string | undefined {
  const digits = digitsFrom(0, low, high);
  const withPoint = digits.expression === undefined ? undefined : inOrder('"."', digits.expression);
  if (withPoint === undefined) return digits.mayBeEmpty ? nothing : undefined;
  return digits.mayBeEmpty ? repeat(withPoint, 0, 1) : withPoint;
}

interface Digits {
  /** One digit or more; undefined if none will do. */
  readonly expression: string | undefined;
  /** Whether no further digit, which means zeros, is in the range. */
  readonly mayBeEmpty: boolean;
}

/** The digits from a place on; a bound is given while all digits so far are its own. */
function digitsFrom(place: number, low: Decimal | undefined, high: Decimal | undefined): Digits {
  const rest = (bound: Decimal): string => bound.fraction.slice(place);
  const isZero = (bound: Decimal): boolean => /^0*$/.test(rest(bound));
  const mayBeEmpty =
    (low === undefined || (isZero(low) && !low.isExclusive)) &&
    (high === undefined || !isZero(high) || !high.isExclusive);
  if (place === fractionDigits) return { expression: undefined, mayBeEmpty };
  const from = low === undefined ? 0 : Number(low.fraction[place]);
  const to = high === undefined ? 9 : Number(high.fraction[place]);
  const options: string[] = [];
  const edge = (digit: number, atLow: boolean, atHigh: boolean): void => {
    const more = digitsFrom(place + 1, atLow ? low : undefined, atHigh ? high : undefined);
    if (more.expression !== undefined) {
      const tail = more.mayBeEmpty ? repeat(more.expression, 0, 1) : more.expression;
      options.push(inOrder(literal(`${digit}`), tail));
    } else if (more.mayBeEmpty) options.push(literal(`${digit}`));
  };
  const firstFree = low === undefined ? from : from + 1;
  const lastFree = high === undefined ? to : to - 1;
  if (firstFree <= lastFree) {
    const any = repeat("[0-9]", 0, fractionDigits - place - 1);
    options.push(inOrder(digitClass(firstFree, lastFree), any));
  }
  if (low !== undefined && from <= to) edge(from, true, high !== undefined && from === to);
  if (high !== undefined && (low === undefined || to > from)) edge(to, false, true);
  return { expression: options.length === 0 ? undefined : anyOf(options), mayBeEmpty };
}

/** Whole numbers without a sign and without leading zeros. */
function wholeBetween(low: number, high: number): string {
  const options: string[] = [];
  for (let from = low; from <= high; ) {
    const length = `${from}`.length;
    const to = Math.min(high, 10 ** length - 1);
    options.push(sameLength(`${from}`, `${to}`));
    from = to + 1;
  }
  return anyOf(options);
}

/** Digit strings of one length, in order. */
function sameLength(low: string, high: string): string {
  if (low === high) return literal(low);
  const from = Number(low[0]);
  const to = Number(high[0]);
  const length = low.length - 1;
  const any = repeat("[0-9]", length, length);
  if (length === 0) return digitClass(from, to);
  if (from === to) {
    return inOrder(literal(low[0]!), sameLength(low.slice(1), high.slice(1)));
  }
  const zeros = "0".repeat(length);
  const nines = "9".repeat(length);
  const options: string[] = [];
  const takesAllLow = low.slice(1) === zeros;
  const takesAllHigh = high.slice(1) === nines;
  if (!takesAllLow) options.push(inOrder(literal(low[0]!), sameLength(low.slice(1), nines)));
  const first = takesAllLow ? from : from + 1;
  const last = takesAllHigh ? to : to - 1;
  if (first <= last) options.push(inOrder(digitClass(first, last), any));
  if (!takesAllHigh) options.push(inOrder(literal(high[0]!), sameLength(zeros, high.slice(1))));
  return anyOf(options);
}

function digitClass(from: number, to: number): string {
  return from === to ? literal(`${from}`) : `[${from}-${to}]`;
}

function refuseEmpty(): never {
  throw new GrammarProblem("expected bounds between which there is a number, found none");
}
