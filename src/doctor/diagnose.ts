// All checks, in the order in which they are printed.
import { backendChecks } from '../backends/checks.ts';
import type { NodeFacts } from '../host/node-facts.ts';
import {
  bridgeCheck,
  forwardingCheck,
  localnetCheck,
  reversePathCheck,
  sysctlNames,
} from './checks/sysctls.ts';
import {
  conntrackLossCheck,
  conntrackRoomCheck,
  conntrackSettingNames,
  conntrackTimeoutCheck,
} from './checks/conntrack.ts';
import { ipvsCheck, kubeProxyTableCheck } from './checks/leftovers.ts';
import { nodePortsCheck } from './checks/node-ports.ts';
import { permissionsCheck } from './checks/permissions.ts';
import { proxiesCheck } from './checks/proxies.ts';
import { conntrackToolCheck, nodeCheck } from './checks/versions.ts';
import { vxlanCheck } from './checks/vxlan.ts';
import type { Check, Finding, Wanted } from '../host/finding.ts';

// What a start needs before it asks about rules.
const startChecks: readonly Check[] = [
  permissionsCheck,
  backendChecks.kernel,
  nodeCheck,
  ...backendChecks.tools,
];

/** Every check there is. */
export const checks: readonly Check[] = [
  ...startChecks,
  backendChecks.rules,
  conntrackToolCheck,
  proxiesCheck,
  kubeProxyTableCheck,
  ...backendChecks.leftovers,
  ipvsCheck,
  forwardingCheck,
  backendChecks.forward,
  reversePathCheck,
  bridgeCheck,
  localnetCheck,
  nodePortsCheck,
  conntrackRoomCheck,
  conntrackLossCheck,
  conntrackTimeoutCheck,
  vxlanCheck,
];

/** The settings of the kernel that the checks look at. */
export const settingNames: readonly string[] = [...sysctlNames, ...conntrackSettingNames];

/** Whether a start gets as far as to ask whether kernel and tools take its rules. */
export function canAskForRules(facts: NodeFacts, wanted: Wanted): boolean {
  return startChecks.every((check) =>
    check(facts, wanted).every(({ status }) => status !== 'fail'),
  );
}

/** What all checks find. */
export function diagnose(facts: NodeFacts, wanted: Wanted): readonly Finding[] {
  return checks.flatMap((check) => check(facts, wanted));
}
