import { families } from '../../model/ip.ts';
import { command } from './command.ts';

export const render = command({
  name: 'render',
  summary: 'prints the rules that run would program',
  details: 'It needs no root and no tools.',
  flags: ['manifests', 'daemon', 'family', 'output', 'proxy-mode'],
  decides: true,
  examples: [['sluice render --manifests shop.yaml --proxy-mode iptables']],
  exitCodes: { 0: 'done', 2: 'failed' },
  run: async (call) => {
    const { values, exec, io } = call;
    const { output, family } = values;
    const { loadInputs } = await import('../input/inputs.ts');
    const { renderCommand } = await import('../diff/render.ts');
    const shown = family === undefined ? families : [family];
    const inputs = await loadInputs(call, { readsKernel: false });
    const config = { ...inputs.config, nftInput: output };
    return renderCommand({ inputs: { ...inputs, config }, families: shown }, exec, io);
  },
});
