import { command, loaded } from './command.ts';

export const run = command({
  name: 'run',
  summary: "keeps this node's Service rules in sync with the cluster",
  flags: [
    'manifests',
    'dry-run',
    'rules',
    'all',
    'status-page',
    'service-connection-metrics',
    'before-file',
    'accept-differences',
    'refuse-if-endpoints-lost',
    'refuse-if-services-lost',
    'output',
    'proxy-mode',
    'cleanup',
  ],
  decides: true,
  examples: [['sluice run --dry-run --kubeconfig ~/.kube/config']],
  exitCodes: {
    0: 'stopped; the rules stay (with --dry-run, as they were)',
    2: 'failed, or rules of another proxy handle packets differently',
  },
  run: async (call) => {
    const { values, line, program, exec, io } = call;
    const { config, values: fileValues, notes } = await loaded(call);
    const { runCommand } = await import('../run.ts');
    const { gatesOf } = await import('../diff/limit-flags.ts');
    const options = {
      config,
      changeLimits: gatesOf(values),
      manifests: values.manifests,
      dryRun: values['dry-run'],
      output: values.output,
      shown: { rules: values.rules, all: values.all },
      statusPage: values['status-page'],
      connectionMetrics: values['service-connection-metrics'],
      beforeFile: values['before-file'],
      acceptDifferences: values['accept-differences'],
      configFile: fileValues === undefined ? undefined : { line, values: fileValues },
      notes,
      version: program.version,
    };
    return runCommand(options, exec, io);
  },
});
