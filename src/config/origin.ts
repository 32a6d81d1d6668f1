// Where a value came from, for messages: a path in, the flag or the line of the file out.
import { fields, type FieldPath } from './fields.ts';

/** How messages name a field. */
export type Origin = {
  /** Where its value stands: `--cluster-cidr`, or `/etc/config.conf:3: clusterCIDR`. */
  readonly placeOf: (path: FieldPath) => string;
  /** What one would write it as: `--cluster-cidr`, or `clusterCIDR`. */
  readonly nameOf: (path: FieldPath) => string;
};

/** Values that came from flags. */
export const flagOrigin: Origin = { placeOf: flagOf, nameOf: flagOf };

function flagOf(path: FieldPath): string {
  const row = fields.find((field) => field.path === path);
  return row !== undefined && 'flag' in row ? `--${row.flag}` : path;
}

/** Takes what is wrong with fields. */
export type Report = (path: FieldPath, why: string) => void;
