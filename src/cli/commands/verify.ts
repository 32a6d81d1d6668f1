import { command } from './command.ts';

export const verify = command({
  name: 'verify',
  summary: 'checks that the kernel matches the model, rule by rule',
  details: 'It changes nothing.',
  flags: ['manifests', 'daemon', 'rules', 'all', 'probe', 'output', 'proxy-mode'],
  decides: true,
  examples: [['sluice verify --manifests shop.yaml --probe', 'connect to each address too']],
  exitCodes: { 0: 'the kernel matches', 1: 'something differs', 2: 'failed' },
  run: async (call) => {
    const { values, exec, io } = call;
    const { probe, output, rules, all } = values;
    const { loadInputs } = await import('../input/inputs.ts');
    const { verifyCommand } = await import('../verify/verify.ts');
    const inputs = await loadInputs(call, { readsKernel: true });
    return verifyCommand({ inputs, probe, output, shown: { rules, all } }, exec, io);
  },
});
