// Addresses that two Services claim, for people: the claims that came to nothing in, a line each out.
import { frontendId } from '../model/forwarding.ts';
import type { Unit } from '../netfilter/program.ts';
import type { DesiredFamily } from '../sync/offline.ts';

/** One line for each address that a Service does not get; '' where every Service has its own. */
export function lostClaimsText<U extends Unit>(desired: readonly DesiredFamily<U>[]): string {
  const lost = desired.flatMap((family) => family.lost);
  const lines = lost.map(({ frontend: { service, address }, winner }) => {
    return `Service ${service}: ${frontendId(address)} is left out: ${winner} is older and has it\n`;
  });
  return lines.join('');
}
