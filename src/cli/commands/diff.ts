import { ownFlags } from '../arguments/own-flags.ts';
import { command, notedConfigOf } from './command.ts';

export const diff = command({
  name: 'diff',
  summary: 'shows what run would change, Service by Service',
  flags: [
    'manifests',
    'daemon',
    'against',
    'rules',
    'all',
    'refuse-if-endpoints-lost',
    'refuse-if-services-lost',
    'output',
    'proxy-mode',
  ],
  decides: true,
  examples: [['kubectl get svc,endpointslices,nodes -A -o yaml | sluice diff --manifests -']],
  exitCodes: {
    0: 'nothing would change',
    1: 'something would change',
    2: 'failed',
    3: 'more would be lost than allowed',
  },
  run: async (call) => {
    const { values, exec, io } = call;
    const { against, output, rules, all } = values;
    const { loadInputs } = await import('../input/inputs.ts');
    const { diffCommand } = await import('../diff/diff.ts');
    const { gatesOf } = await import('../diff/limit-flags.ts');
    const gates = gatesOf(values);
    const inputs = await loadInputs(call, {
      readsKernel: against === undefined,
      loadConfig: notedConfigOf,
    });
    const beforeFile = ownFlags['before-file'].default;
    const shown = { rules, all };
    return diffCommand({ inputs, against, output, gates, shown, beforeFile }, exec, io);
  },
});
