// Looks at the families of addresses before anything is programmed: the first changes of `sluice run`, with
// what they say of this Node, in; an end with a clear error, or warnings, out.
import type { Logger } from 'pino';
import { checkFamilies } from '../config/family-checks.ts';
import { UsageError } from '../errors.ts';
import type { Config } from '../model/config.ts';
import type { Family } from '../model/ip.ts';
import type { ClusterChange, Node } from '../model/kubernetes.ts';
import { nodeIpsOf } from '../resolve/node-ips.ts';
import type { Batch } from './loop.ts';

/** What the addresses are held against. */
export type FamilyGate = {
  readonly config: Config;
  /** What the backend can program here. */
  readonly families: readonly Family[];
  readonly log: Logger;
};

/**
 * Passes batches on. At the first one, and at the first that has this Node, the families are checked: a
 * UsageError is thrown where the proxy must not go on, as kube-proxy then does not start.
 */
export function throughFamilyGate(
  gate: FamilyGate,
  deliver: (batch: Batch) => void,
): (batch: Batch) => void {
  let isChecked = false;
  let isNodeKnown = false;
  return (batch) => {
    const node = isNodeKnown ? undefined : nodeIn(batch.changes, gate.config.nodeName);
    if (!isChecked || node !== undefined) check(gate, node);
    isChecked = true;
    isNodeKnown ||= node !== undefined;
    deliver(batch);
  };
}

function check({ config, families: supported, log }: FamilyGate, node: Node | undefined): void {
  const { primary: first, ips } = nodeIpsOf(config, node);
  // Where nothing says it, it is the one that there is.
  const isSaid = ips[first] === config.bindAddress || (node?.ips.length ?? 0) > 0;
  const [only = first, ...others] = supported;
  const primary = isSaid || others.length > 0 ? first : only;
  const podCidrs = node?.podCidrs ?? [];
  const { faults, warnings, notes } = checkFamilies(config, { primary, supported, podCidrs });
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  for (const warning of warnings) log.warn(warning);
  for (const note of notes) log.info(note);
}

function nodeIn(changes: readonly ClusterChange[], name: string): Node | undefined {
  for (const change of changes.toReversed()) {
    if (change.op === 'set' && change.object.kind === 'Node' && change.object.id === name) {
      return change.object.value;
    }
  }
  return undefined;
}
