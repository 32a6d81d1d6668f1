// Forwarded Service traffic on hosts whose FORWARD policy would drop it; only where settings ask.
import type { Part } from '../src/model/ruleset.ts';
import type { FamilySettings } from '../src/model/settings.ts';

/** Drops packets that conntrack cannot place (they would leave untranslated), accepts our own. */
export function forward({ acceptsForwarded, masqueradeMark: mark }: FamilySettings): Part[] {
  if (!acceptsForwarded) return [];
  return [
    {
      name: 'forward',
      hooks: ['filter-forward'],
      newConnectionsOnly: false,
      rules: [
        { when: [{ kind: 'connection', state: 'invalid' }], then: { kind: 'drop' }, why: '' },
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
