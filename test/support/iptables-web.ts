// One Service of the simplest kind as IPv4 rules, to see whether a node can be programmed at all.
import { expect } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import type { IptablesUnit } from '../../src/backends/iptables/unit.ts';
import { plan } from '../../src/netfilter/plan.ts';
import type { Program } from '../../src/netfilter/program.ts';
import { assembly, service } from '../unit/backends/iptables/fixture.ts';
import { ownUnits } from './iptables-machine.ts';

type IptablesBackend = Backend<IptablesUnit>;

const web = service('ns/web', '10.96.0.1', { ports: [{ endpoints: [['10.244.1.1', 80]] }] });
/** What the Service comes to. */
export const webRules = assembly('IPv4', [web]).whole();

/** Brings IPv4 to these rules from whatever is there. */
export async function bringTo(
  backend: IptablesBackend,
  wanted: Program<IptablesUnit>,
): Promise<Program<IptablesUnit>> {
  await backend.apply('IPv4', plan(await backend.observe('IPv4'), wanted));
  return backend.observe('IPv4');
}

/** Programs the Service, over whatever is there, and has it read back. */
export async function expectWorking(backend: IptablesBackend): Promise<void> {
  const then = await bringTo(backend, webRules);
  expect(textsOf(then)).toEqual(textsOf(webRules));
  expect(plan(then, webRules)).toEqual([]);
}

function textsOf(units: Program<IptablesUnit>): ReadonlyMap<string, string> {
  return new Map([...ownUnits(units)].map(([id, { text }]) => [id, text]));
}
