// The commands about Sluice itself.
import { command } from './command.ts';

const exitCodes = { 0: 'done', 2: 'failed' } as const;

export const completion = command({
  name: 'completion',
  summary: 'prints the completion script of a shell',
  operands: [{ name: 'bash|zsh|fish', choices: ['bash', 'zsh', 'fish'] }],
  flags: [],
  examples: [
    ['source <(sluice completion bash)', 'bash, in ~/.bashrc'],
    ['sluice completion zsh > "${fpath[1]}/_sluice"', 'zsh'],
    ['sluice completion fish | source', 'fish, in config.fish'],
  ],
  exitCodes,
  run: async ({ operands, io }) => {
    const { completionCommand } = await import('../completion/scripts.ts');
    return completionCommand(operands[0] ?? '', io);
  },
});

export const options = command({
  name: 'options',
  summary: 'lists the flags that many commands take',
  flags: [],
  exitCodes,
  run: async ({ io, commands }) => {
    const { optionsText } = await import('../help/help.ts');
    io.stdout.write(optionsText(commands));
    return 0;
  },
});

export const version = command({
  name: 'version',
  summary: 'prints the version',
  flags: [],
  exitCodes,
  run: ({ io, program }) => {
    io.stdout.write(`sluice ${program.version}\n`);
    return 0;
  },
});

export const help = command({
  name: 'help',
  summary: 'prints this overview, or the help of one command',
  operands: [{ name: 'COMMAND', isOptional: true, choices: 'commands' }],
  flags: [],
  exitCodes,
  run: async ({ operands, io, commands }) => {
    const { helpText, overview } = await import('../help/help.ts');
    const topic = commands.find(({ name }) => name === operands[0]);
    io.stdout.write(topic === undefined || topic === help ? overview(commands) : helpText(topic));
    return 0;
  },
});
