import { command } from './command.ts';

export const replay = command({
  name: 'replay',
  summary: 'runs a flight record again and compares the plans',
  details:
    'FILE is the output of sluice status --passes; - is standard input. It does not touch the kernel.',
  operands: [{ name: 'FILE', choices: 'files' }],
  flags: ['step', 'rules', 'all', 'output'],
  examples: [['sluice replay record.json --step 12 --rules', 'show the rules of one pass']],
  exitCodes: { 0: 'every plan is the same', 1: 'a plan differs', 2: 'failed' },
  run: async ({ values, operands, exec, io }) => {
    const { step, output, rules, all } = values;
    const [file = ''] = operands;
    const { replayCommand } = await import('../replay.ts');
    return replayCommand({ file, step, output, shown: { rules, all } }, exec, io);
  },
});
