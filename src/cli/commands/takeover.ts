// The commands by which a node goes from kube-proxy to Sluice, and back.
import { command, notedConfigOf, manifestsOf } from './command.ts';

export const takeover = command({
  name: 'takeover',
  summary: 'takes over this node from kube-proxy, or shows what would differ',
  flags: ['manifests', 'shadow', 'accept-differences', 'before-file', 'output', 'proxy-mode'],
  decides: true,
  examples: [['sluice takeover --manifests cluster.yaml --shadow', 'only compare']],
  exitCodes: {
    0: 'no difference, or done',
    1: 'some packets would be handled differently',
    2: 'failed',
  },
  run: async (call) => {
    const { values, exec, io } = call;
    const { shadow, 'accept-differences': acceptDifferences, output } = values;
    const [manifests, beforeFile] = [manifestsOf(values), values['before-file']];
    const config = await notedConfigOf(call);
    const { takeoverCommand } = await import('../node/takeover.ts');
    const options = { config, manifests, shadow, acceptDifferences, beforeFile, output };
    return takeoverCommand(options, exec, io);
  },
});

export const rollback = command({
  name: 'rollback',
  summary: 'restores the rules from before the takeover',
  flags: ['before-file'],
  exitCodes: { 0: 'done', 2: 'failed' },
  run: async ({ values, exec, io }) => {
    const { rollbackCommand } = await import('../node/takeover.ts');
    return rollbackCommand({ beforeFile: values['before-file'] }, exec, io);
  },
});
