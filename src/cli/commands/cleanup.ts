import { command, configOf } from './command.ts';

export const cleanup = command({
  name: 'cleanup',
  summary: "removes Sluice's rules of one proxy mode from this node",
  flags: ['dry-run', 'output', 'proxy-mode', 'cleanup'],
  decides: true,
  examples: [['sluice cleanup --proxy-mode iptables --dry-run', 'list what would be removed']],
  exitCodes: { 0: 'done', 2: 'failed' },
  run: async (call) => {
    const { values, exec, io } = call;
    const config = await configOf(call);
    const { cleanupCommand } = await import('../node/cleanup.ts');
    return cleanupCommand({ config, dryRun: values['dry-run'], output: values.output }, exec, io);
  },
});
