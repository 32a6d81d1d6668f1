// The commands that ask a running daemon.
import { defaultDaemon } from '../input/ask-daemon.ts';
import { command } from './command.ts';

export const status = command({
  name: 'status',
  summary: 'shows the health of the running daemon and its last passes',
  flags: ['daemon', 'passes', 'output'],
  examples: [['sluice status --passes > record.json', 'save the flight record']],
  exitCodes: {
    0: 'healthy',
    1: 'something is wrong: rules, a Service, an object, this node, or the API server',
    2: 'no daemon answers',
  },
  run: async ({ values, io }) => {
    const { daemon = defaultDaemon, passes, output } = values;
    const { statusCommand } = await import('../status/status.ts');
    return statusCommand({ daemon, passes, output }, io);
  },
});

export const top = command({
  name: 'top',
  summary: 'shows new connections per second, by Service and endpoint',
  details:
    'On a terminal it refreshes every 2 s until q or Ctrl-C; elsewhere it prints once. Endpoints are counted in iptables mode, and with run --service-counters endpoints.',
  flags: ['daemon', 'once', 'sort', 'output'],
  examples: [['sluice top --sort idle', 'find endpoints that get no connections']],
  exitCodes: { 0: 'done', 2: 'no daemon answers' },
  run: async ({ values, io }) => {
    const { daemon = defaultDaemon, once, sort, output } = values;
    const { topCommand } = await import('../status/top.ts');
    return topCommand({ daemon, once, sort, output }, io);
  },
});
