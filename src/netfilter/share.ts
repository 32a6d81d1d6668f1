// When two shares of the connections of one Service are the same. Pure.

/**
 * By what part of itself the share of an endpoint may be off: one in 65,536. Nobody can see less in any number of
 * connections that an endpoint gets, kernels keep probabilities as rounded, and repeated draws have to end.
 */
export const shareTolerance = 2 ** -16;

/** Whether two shares, 0 to 1 each, differ by no more than rounding and repeated draws make them. */
export function isSameShare(one: number, other: number): boolean {
  return Math.abs(one - other) <= shareTolerance * Math.max(one, other);
}
