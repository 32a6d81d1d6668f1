import { command } from './command.ts';

export const explain = command({
  name: 'explain',
  summary: 'says where a packet goes, and why',
  details:
    'FROM is a pod (namespace/name), an address, node or outside; TO an address, a Service (namespace/name) or node. --live sends a packet, or waits for one, and compares.',
  operands: [{ name: 'FROM' }, { name: 'TO:PORT[/PROTOCOL]' }],
  flags: ['manifests', 'daemon', 'live', 'wait', 'output', 'proxy-mode'],
  decides: true,
  examples: [['sluice explain node shop/web:http --live', 'follow one packet from this node']],
  exitCodes: {
    0: 'explained',
    1: 'no packet can be sent there, or --live saw something else',
    2: 'failed',
  },
  run: async (call) => {
    const { values, operands, exec, io } = call;
    const [from = '', to = ''] = operands;
    const { live, wait: waitMs, output } = values;
    const { loadInputs } = await import('../input/inputs.ts');
    const { explainCommand } = await import('../explain/explain.ts');
    const inputs = await loadInputs(call, { readsKernel: false });
    return explainCommand({ inputs, from, to, live, waitMs, output }, exec, io);
  },
});
