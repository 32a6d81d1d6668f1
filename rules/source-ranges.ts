// loadBalancerSourceRanges: who may use a load balancer's address. Asked before translation, while the
// packet still has the source and destination that the ranges are about.
import type { Frontend } from '../src/model/forwarding.ts';
import { servicePortName } from '../src/model/kubernetes.ts';
import type { DispatchEntry, Part, ServiceRule } from '../src/model/ruleset.ts';

/** Looks up whether a destination is restricted; every new connection passes here first. */
export const sourceRanges: Part = {
  name: 'source-ranges',
  hooks: ['filter-prerouting-pre-dnat', 'filter-output-pre-dnat'],
  newConnectionsOnly: true,
  rules: [
    {
      when: [],
      then: { kind: 'dispatch', dispatch: 'source-ranges', by: 'address' },
      why: 'drop what loadBalancerSourceRanges do not allow',
    },
  ],
};

/** The entry of a frontend that not all may use. */
export function sourceRangesEntry(frontend: Frontend): DispatchEntry[] {
  const { address, service, portName, allowFrom } = frontend;
  if (allowFrom === undefined) return [];
  const name = servicePortName(service, portName);
  const allowed = allowFrom.map((cidr): ServiceRule => ({
    when: [{ kind: 'from-cidr', is: true, cidr }],
    then: { kind: 'return' },
    why: `${name} loadbalancer IP`,
  }));
  const others: ServiceRule = { when: [], then: { kind: 'drop' }, why: `other traffic to ${name}` };
  return [
    {
      dispatch: 'source-ranges',
      address,
      portName,
      to: {
        kind: 'source-ranges',
        service,
        portName,
        protocol: address.protocol,
        rules: [...allowed, others],
      },
      why: `${name} loadbalancer IP`,
    },
  ];
}
