// Which lines of `nft monitor` are about our table. Pure.
import type { TouchOf } from '../../../netfilter/monitor.ts';
import { familyCalled } from '../../../netfilter/monitor.ts';
import { tableName } from '../schema.ts';

// `add table ip sluice`, `delete rule ip sluice services handle 4`.
const ofOurTable = new RegExp(`^\\w+ \\w+ (ip6?) ${tableName}(?:[ ;]|$)`);

/** Nobody but us has anything to change in it. */
export const touchesOurTable: TouchOf = (line) => {
  const family = familyCalled(ofOurTable.exec(line)?.[1]);
  return family === undefined ? undefined : { family, certainty: 'sure' };
};
