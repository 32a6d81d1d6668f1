import { command } from './command.ts';

export const lab = command({
  name: 'lab',
  summary: 'builds a cluster of network namespaces and tries Services in it',
  flags: ['overlay', 'keep', 'output', 'proxy-mode'],
  examples: [['sluice lab --overlay vxlan --keep', 'pods behind a tunnel, to look around']],
  exitCodes: { 0: 'every expected pod answered', 1: 'one did not', 2: 'failed' },
  run: async ({ values, exec, io }) => {
    const { overlay, keep, output, 'proxy-mode': proxyMode } = values;
    const { labCommand } = await import('../lab.ts');
    return labCommand({ overlay, keep, proxyMode, output }, exec, io);
  },
});
