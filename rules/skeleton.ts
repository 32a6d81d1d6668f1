// Where traffic to Services is looked up, and where it is turned away when nothing can answer it.
import type { DispatchRule, Part } from '../src/model/ruleset.ts';
import type { FamilySettings } from '../src/model/settings.ts';

/** New connections to a Service address, or to a node port, go where their entry says. */
export function services(settings: FamilySettings): Part {
  return {
    name: 'services',
    hooks: ['nat-prerouting', 'nat-output'],
    newConnectionsOnly: false,
    rules: [
      {
        when: [],
        then: { kind: 'dispatch', dispatch: 'services', by: 'address' },
        why: 'send to the Service',
      },
      {
        ...atNodePorts(settings),
        then: { kind: 'dispatch', dispatch: 'services', by: 'node-port' },
        why: 'send to the Service with this node port',
      },
    ],
  };
}

/**
 * New connections to a Service that nothing answers are refused. This stands in the filter hooks
 * because reject is not allowed where addresses are translated; a dispatched packet has another
 * destination by then and passes.
 */
export function noEndpoints(settings: FamilySettings): Part[] {
  const { refusesAtEveryHook } = settings;
  const byAddress = (dispatch: 'no-endpoints' | 'no-external-endpoints'): DispatchRule => ({
    when: [],
    then: { kind: 'dispatch', dispatch, by: 'address' },
    why: 'refuse what no endpoint answers',
  });
  const byNodePort: DispatchRule = {
    ...atNodePorts(settings),
    then: { kind: 'dispatch', dispatch: 'no-external-endpoints', by: 'node-port' },
    why: 'refuse node ports that no endpoint answers',
  };
  return [
    {
      name: 'no-external-endpoints',
      hooks: refusesAtEveryHook ? ['filter-input'] : ['filter-input', 'filter-forward'],
      newConnectionsOnly: true,
      rules: refusesAtEveryHook ? [byNodePort] : [byAddress('no-external-endpoints'), byNodePort],
    },
    {
      name: 'no-endpoints',
      hooks: refusesAtEveryHook
        ? ['filter-input', 'filter-forward', 'filter-output']
        : ['filter-forward', 'filter-output'],
      newConnectionsOnly: true,
      rules: [byAddress('no-endpoints')],
    },
  ];
}

function atNodePorts({ nodePorts }: FamilySettings): Pick<DispatchRule, 'when'> {
  return { when: [{ kind: 'to-node-port-address', addresses: nodePorts }] };
}
