// Whose source address is replaced. A mark is set where the Service is known and acted on after
// routing, where the kernel allows masquerade.
import type { Masquerade } from '../src/model/forwarding.ts';
import type { FrontendAddress } from '../src/model/forwarding.ts';
import type { Part, ServiceRule } from '../src/model/ruleset.ts';
import type { FamilySettings } from '../src/model/settings.ts';

/** Masquerades what was marked, and connections of an endpoint to itself. */
export function masquerading({ masqueradeMark: mark, hairpins }: FamilySettings): Part {
  return {
    name: 'masquerading',
    hooks: ['nat-postrouting'],
    newConnectionsOnly: false,
    rules: [
      {
        when: [{ kind: 'marked', mark }],
        then: { kind: 'masquerade', mark },
        why: 'kubernetes service traffic requiring SNAT',
      },
      {
        // Without this the endpoint would answer itself directly, past the translation.
        when: [{ kind: 'hairpin', endpoints: hairpins }],
        then: { kind: 'masquerade', mark },
        why: 'an endpoint that reaches itself through its Service',
      },
    ],
  };
}

/** The rule that marks a frontend's traffic, where any of it is to be masqueraded. */
export function markForMasquerade(
  address: FrontendAddress,
  masquerade: Masquerade,
  { masqueradeMark: mark, podSource }: FamilySettings,
): ServiceRule[] {
  const toFrontend = { kind: 'to-frontend', address } as const;
  const then = { kind: 'mark', mark } as const;
  switch (masquerade) {
    case 'none':
      return [];
    case 'all':
      return [{ when: [toFrontend], then, why: 'masquerade all Service traffic' }];
    case 'from-outside-the-pod-network':
      if (podSource === undefined) return [];
      return [
        {
          when: [toFrontend, { kind: 'from-pod', is: false, podSource }],
          then,
          why: 'masquerade traffic from outside the pod network',
        },
      ];
  }
}
