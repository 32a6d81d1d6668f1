// Forwarded Service traffic on hosts whose FORWARD policy would drop it; only where settings ask.
import type { Part, PartRule } from '../src/model/ruleset.ts';
import type { FamilySettings } from '../src/model/settings.ts';

/** Accepts our own, behind a drop of what conntrack cannot place: that would leave untranslated. */
export function forward({
  acceptsForwarded,
  dropsInvalid,
  masqueradeMark: mark,
}: FamilySettings): Part<'forward'>[] {
  if (!acceptsForwarded) return [];
  const invalid: PartRule<'forward'> = {
    when: [{ kind: 'connection', state: 'invalid' }],
    then: { kind: 'drop' },
    why: '',
  };
  return [
    {
      name: 'forward',
      hooks: ['filter-forward'],
      newConnectionsOnly: false,
      rules: [
        ...(dropsInvalid ? [invalid] : []),
        {
          when: [{ kind: 'marked', mark }],
          then: { kind: 'accept' },
          why: 'kubernetes forwarding rules',
        },
        {
          when: [{ kind: 'connection', state: 'established' }],
          then: { kind: 'accept' },
          why: 'kubernetes forwarding conntrack rule',
        },
      ],
    },
  ];
}
