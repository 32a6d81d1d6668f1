// Which changes are in our table. Pure.
import type { TouchOf } from '../../../netfilter/table-changes.ts';
import { tableName } from '../schema.ts';

/** Nobody but us has anything to change in it. */
export const touchesOurTable: TouchOf = ({ family, table }) =>
  table === tableName ? { family, certainty: 'sure' } : undefined;
