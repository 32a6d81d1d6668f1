// A network namespace with one of the two programs that are called iptables, and our backend on it.
import { expect } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { createIptablesBackend } from '../../src/backends/iptables/backend.ts';
import type { IptablesUnit } from '../../src/backends/iptables/unit.ts';
import type { Exec } from '../../src/host/tools/exec.ts';
import { networkNamespace } from './network-namespace.ts';
import { type variants, withOneVariant } from './one-variant.ts';

export type Machine = {
  /** The namespace's name. */
  readonly name: string;
  readonly exec: Exec;
  readonly backend: Backend<IptablesUnit>;
};

/** A namespace whose `iptables`, `ip6tables-save` and so on are those of one variant. */
export async function machine(variant: (typeof variants)[number]): Promise<Machine> {
  const { name, exec: inside } = await networkNamespace();
  const exec = withOneVariant(inside, variant);
  const backend = createIptablesBackend(exec);
  const { findings } = await backend.probe();
  expect(findings.join()).toContain(variant === 'nft' ? 'nf_tables' : 'legacy');
  return { name, exec, backend };
}

/** What of a Program a clean-up is to remove: all but what is the kubelet's too. */
export function ownUnits(
  units: ReadonlyMap<string, IptablesUnit>,
): ReadonlyMap<string, IptablesUnit> {
  return new Map([...units].filter(([, { stays }]) => !stays));
}
