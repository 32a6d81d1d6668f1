// What manifests ask for and do not get, for people: Services that could not be decided, and addresses
// that another Service has; a line each out.
import { frontendId } from '../../model/forwarding.ts';
import { conflictText } from '../../model/reason.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { DesiredFamily } from '../../sync/offline.ts';

/** The lines; '' where every Service has its own. */
export function leftOutText<U extends Unit>(desired: readonly DesiredFamily<U>[]): string {
  const undecided = desired.flatMap(({ family, faults }) =>
    [...faults].map(([service, { message }]) => {
      return `Service ${service}: left out of ${family}: ${message.split('\n', 1)[0]}\n`;
    }),
  );
  const lost = desired.flatMap((family) => family.lost);
  const lines = lost.map(({ frontend: { service, address }, winner, reason }) => {
    const why = conflictText(winner, reason);
    return `Service ${service}: ${frontendId(address)} is left out: ${why}\n`;
  });
  return [...undecided, ...lines].join('');
}
