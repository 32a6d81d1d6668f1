// What manifests ask for and do not get, for people: Services that cannot be decided, and address conflicts;
// one line for each.
import { frontendId } from '../../model/forwarding.ts';
import { conflictText } from '../../model/reason.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { DesiredFamily } from '../../sync/offline.ts';

/** The lines; '' where every Service has its own. */
export function notProgrammedText<U extends Unit>(desired: readonly DesiredFamily<U>[]): string {
  const undecided = desired.flatMap(({ family, faults }) =>
    [...faults].map(([service, { message }]) => {
      return `Service ${service}: not programmed for ${family}: ${message.split('\n', 1)[0]}\n`;
    }),
  );
  const conflicts = desired.flatMap((family) => family.conflicts);
  const lines = conflicts.map(({ frontend: { service, address }, winner, reason }) => {
    const why = conflictText(winner, reason);
    return `Service ${service}: ${frontendId(address)} is not programmed: ${why}\n`;
  });
  return [...undecided, ...lines].join('');
}
