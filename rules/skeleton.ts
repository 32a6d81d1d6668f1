// Where traffic to Services is looked up, and where it is turned away when nothing can answer it.
import type { Part } from '../src/model/ruleset.ts';

/** New connections to a Service address go where its entry says. */
export const services: Part = {
  name: 'services',
  hooks: ['nat-prerouting', 'nat-output'],
  newConnectionsOnly: false,
  rules: [
    { when: [], then: { kind: 'dispatch', dispatch: 'services' }, why: 'send to the Service' },
  ],
};

/**
 * New connections to a Service that nothing answers are refused. This stands in the filter hooks
 * because reject is not allowed where addresses are translated; a dispatched packet has another
 * destination by then and passes.
 */
export const noEndpoints: Part = {
  name: 'no-endpoints',
  hooks: ['filter-input', 'filter-forward', 'filter-output'],
  newConnectionsOnly: true,
  rules: [
    {
      when: [],
      then: { kind: 'dispatch', dispatch: 'no-endpoints' },
      why: 'refuse what no endpoint answers',
    },
  ],
};
