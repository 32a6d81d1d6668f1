// Shares of connections as fractions: a third of what two thirds left is a third of all, exactly.

/** A number from 0 to 1, in lowest terms. */
export type Fraction = { readonly numerator: bigint; readonly denominator: bigint };

/** All connections. */
export const whole: Fraction = { numerator: 1n, denominator: 1n };

/** One of `ways`. */
export function oneIn(ways: number): Fraction {
  return { numerator: 1n, denominator: BigInt(ways) };
}

/** The part of a part. */
export function times(left: Fraction, right: Fraction): Fraction {
  return reduced(left.numerator * right.numerator, left.denominator * right.denominator);
}

/** Two parts together. */
export function plus(left: Fraction, right: Fraction): Fraction {
  const numerator = left.numerator * right.denominator + right.numerator * left.denominator;
  return reduced(numerator, left.denominator * right.denominator);
}

/** What is left of all connections without these. */
export function without({ numerator, denominator }: Fraction): Fraction {
  return { numerator: denominator - numerator, denominator };
}

/** The nearest number. */
export function toNumber({ numerator, denominator }: Fraction): number {
  if (denominator <= BigInt(Number.MAX_SAFE_INTEGER)) {
    return Number(numerator) / Number(denominator);
  }
  return Number((numerator << kept) / denominator) / 2 ** Number(kept);
}

const kept = 64n;

// The kernel keeps a probability as a multiple of 1/2^31, after kube-proxy rounded it to 10 decimals.
const steps = 2 ** 31;
const roundingError = 1e-9;

/** The fraction that a printed probability stands for: 1/n where it is as near to that as it can be kept. */
export function fromProbability(probability: number): Fraction {
  const ways = Math.round(1 / probability);
  if (Number.isSafeInteger(ways) && Math.abs(probability - 1 / ways) < roundingError) {
    return oneIn(ways);
  }
  return reduced(BigInt(Math.round(probability * steps)), BigInt(steps));
}

// Shares of endpoints stay far below. What is above is no n-th part of anything, and is rounded: hostile
// rules would make it grow without end.
const longest = 1n << 128n;

function reduced(numerator: bigint, denominator: bigint): Fraction {
  const divisor = greatestCommonDivisor(numerator, denominator);
  const exact = { numerator: numerator / divisor, denominator: denominator / divisor };
  if (exact.denominator <= longest) return exact;
  return { numerator: (exact.numerator * longest) / exact.denominator, denominator: longest };
}

function greatestCommonDivisor(left: bigint, right: bigint): bigint {
  let [larger, smaller] = [left, right];
  while (smaller !== 0n) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}
