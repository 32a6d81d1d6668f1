// What there is to say of rules that were found beside ours: one sentence each, with what to do about
// it. Pure.
import type { Family } from '../../model/ip.ts';
import { fixedChains, ourLines } from './names.ts';
import type { IptablesUnit } from './unit.ts';
import type { Installation } from './variant.ts';

type Found = ReadonlyMap<string, IptablesUnit>;

// How many names a sentence has room for.
const maxNames = 5;

/** The units that are ours or kube-proxy's, and so have to go where they are not wanted. */
function removable(units: Found): Found {
  return new Map([...units].filter(([, { stays }]) => !stays));
}

/** Of our chains, or kube-proxy's, in the variant that is not used; undefined where there are none. */
export function leftoverFinding(
  family: Family,
  place: Installation,
  units: Found,
): string | undefined {
  const found = [...removable(units).values()];
  if (found.length === 0) return undefined;
  const chains = found.filter(({ kind }) => kind === 'chain').map(({ chain }) => chain);
  return (
    `${family}: ${place.tools[family]} has chains of kube-proxy's or Sluice's as well ` +
    `(${named(chains)}), and packets meet both; remove them with: ${removalCommand(family, place)}`
  );
}

/** Removes our chains, and kube-proxy's, with all that leads to them; leaves everything else. */
function removalCommand(family: Family, { tools }: Installation): string {
  const tool = tools[family];
  return `${tool}-save | grep -Ev '${ourLines}' | ${tool}-restore -w`;
}

/** Of a kube-proxy that has been here, and may still be. */
export function canaryFinding(family: Family, units: Found): string | undefined {
  const isThere = [...units.values()].some(({ chain }) => chain === fixedChains.proxyCanary);
  if (!isThere) return undefined;
  return (
    `${family}: kube-proxy has programmed this node (${fixedChains.proxyCanary}); its rules are replaced. ` +
    'One that still runs writes them back: stop it'
  );
}

/** Of chains that others refer to. */
export function heldFindings(family: Family, units: Found): readonly string[] {
  return [...units.values()].flatMap(({ chain, table, heldBy }) =>
    heldBy === undefined
      ? []
      : [
          `${family}: ${named(heldBy)} in the ${table} table leads to ${chain}: where it is not ` +
            'needed any more it is emptied, but it cannot be deleted before that rule is',
        ],
  );
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, maxNames).join(', ');
  return names.length > maxNames ? `${shown} and ${names.length - maxNames} more` : shown;
}
