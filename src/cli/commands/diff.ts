import { command, notedConfigOf, manifestsOf } from './command.ts';

export const diff = command({
  name: 'diff',
  summary: 'shows what run would change, Service by Service',
  flags: [
    'manifests',
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
    const manifests = manifestsOf(values);
    const { diffCommand, gatesOf } = await import('../diff/diff.ts');
    const gates = gatesOf({
      endpointsLost: values['refuse-if-endpoints-lost'],
      servicesLost: values['refuse-if-services-lost'],
    });
    const config = await notedConfigOf(call);
    return diffCommand(
      { config, manifests, against, output, gates, shown: { rules, all } },
      exec,
      io,
    );
  },
});
