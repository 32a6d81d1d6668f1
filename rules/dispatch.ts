// From a frontend to its entry: the address leads to the Service port's chain, or is turned away.
import type { Frontend } from '../src/model/forwarding.ts';
import { servicePortName } from '../src/model/kubernetes.ts';
import type { DispatchEntry, Rule, ServiceChain } from '../src/model/ruleset.ts';
import type { FamilySettings } from '../src/model/settings.ts';
import { markForMasquerade } from './masquerade.ts';

/** The entry of one frontend, with the chain that it leads to. */
export function dispatchEntry(frontend: Frontend, settings: FamilySettings): DispatchEntry {
  const { address, portName, service, route } = frontend;
  const name = servicePortName(service, portName);
  switch (route.kind) {
    case 'forward': {
      const balance: Rule = { when: [], then: { kind: 'balance', pool: route.pool }, why: name };
      const rules = [...markForMasquerade(address, route.masquerade, settings), balance];
      const to: ServiceChain = { service, portName, protocol: address.protocol, rules };
      return { dispatch: 'services', address, portName, to, why: `${name} cluster IP` };
    }
    case 'reject': {
      const why = `${name} has no endpoints`;
      return { dispatch: 'no-endpoints', address, portName, to: { verdict: 'reject' }, why };
    }
  }
}
