import { families } from '../../model/ip.ts';
import { command, configOf, manifestsOf } from './command.ts';

export const render = command({
  name: 'render',
  summary: 'prints the rules that run would program',
  details: 'It needs no root and no tools.',
  flags: ['manifests', 'family', 'output', 'proxy-mode'],
  decides: true,
  examples: [['sluice render --manifests shop.yaml --proxy-mode iptables']],
  exitCodes: { 0: 'done', 2: 'failed' },
  run: async (call) => {
    const { values, exec, io } = call;
    const { output, family } = values;
    const manifests = manifestsOf(values);
    const config = { ...(await configOf(call)), nftInput: output };
    const { renderCommand } = await import('../diff/render.ts');
    const shown = family === undefined ? families : [family];
    return renderCommand({ config, manifests, families: shown }, exec, io);
  },
});
