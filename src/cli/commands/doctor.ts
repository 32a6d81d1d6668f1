import { command } from './command.ts';

export const doctor = command({
  name: 'doctor',
  summary: 'finds problems on this node, with the command that fixes each',
  details:
    'It changes nothing. It asks the daemon of this node for its mode and for the name of the node.',
  flags: ['service-node-port-range', 'daemon', 'hostname-override', 'output', 'proxy-mode'],
  examples: [['sluice doctor --proxy-mode iptables', 'before a change of the mode']],
  exitCodes: { 0: 'no problem', 1: 'something needs fixing', 2: 'a check could not be made' },
  run: async ({ values, line, program, exec, io }) => {
    const { output, daemon, 'service-node-port-range': nodePortRange } = values;
    const nodeName = values['hostname-override'].trim().toLowerCase() || undefined;
    const proxyMode = line.given.has('proxy-mode') ? values['proxy-mode'] : undefined;
    const { nodeVersion } = program;
    const { doctorCommand } = await import('../node/doctor.ts');
    const options = { proxyMode, nodePortRange, daemon, nodeName, nodeVersion, output };
    return doctorCommand(options, exec, io);
  },
});
