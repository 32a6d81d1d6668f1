import { command, configOf } from './command.ts';

export const cleanup = command({
  name: 'cleanup',
  summary: "removes Sluice's rules from this node",
  details:
    'All proxy modes, or the one that --proxy-mode names, which then counts rules of kube-proxy with the same chains too. It refuses while a daemon would put the rules back.',
  flags: ['dry-run', 'output', 'proxy-mode', 'cleanup'],
  decides: true,
  examples: [['sluice cleanup --proxy-mode iptables --dry-run', 'list what would be removed']],
  exitCodes: { 0: 'done', 2: 'failed' },
  run: async (call) => {
    const { values, line, exec, io } = call;
    const config = await configOf(call);
    const { cleanupCommand } = await import('../node/cleanup.ts');
    const named = line.given.has('proxy-mode') ? values['proxy-mode'] : undefined;
    const { 'dry-run': dryRun, output } = values;
    return cleanupCommand({ config, named, dryRun, output }, exec, io);
  },
});
