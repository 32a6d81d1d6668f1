import { command } from './command.ts';

export const render = command({
  name: 'render',
  summary: 'prints the rules that run would program',
  details:
    'It needs no root and no tools. What it prints loads, also again; iptables-restore takes one family.',
  flags: ['manifests', 'daemon', 'family', 'output', 'proxy-mode'],
  decides: true,
  examples: [
    ['sluice render --manifests web.yaml | nft -f -'],
    ['sluice render --manifests web.yaml --proxy-mode iptables | iptables-restore -n'],
  ],
  exitCodes: { 0: 'done', 1: 'done, without the objects that cannot be used', 2: 'failed' },
  run: async (call) => {
    const { values, exec, io } = call;
    const { output, family } = values;
    const { loadInputs } = await import('../input/inputs.ts');
    const { renderCommand } = await import('../diff/render.ts');
    const inputs = await loadInputs(call, { readsKernel: false });
    const config = { ...inputs.config, nftInput: output };
    return renderCommand({ inputs: { ...inputs, config }, family }, exec, io);
  },
});
