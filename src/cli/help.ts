// Writes the help from the table of flags: a command in, text that fits a screen out.
import { commands, type Command, type Flag } from './flag.ts';
import { flagsOf } from './flags.ts';

const width = 100;

const summaries: Readonly<Record<Command, string>> = {
  run: "keeps this node's Service rules in step with the cluster, as kube-proxy does",
  diff: 'shows what run would change; exits with 0 for nothing, 1 for something, 2 on failure',
  render: 'prints the rules that run would program',
  cleanup: 'removes the rules of a proxy mode from this node',
  takeover: 'takes this node over from kube-proxy without a lost packet, or says what would differ',
  rollback: 'puts back the rules that stood here before the takeover',
  lab: 'makes a cluster of network namespaces on this machine, and tries Services in it',
  version: 'prints the version',
  help: 'prints this, or the help of the command named next',
};

/** The help of a command; that of `help` is the overview. */
export function helpText(command: Command): string {
  return `${(command === 'help' ? overview() : commandHelp(command)).join('\n')}\n`;
}

function overview(): readonly string[] {
  return [
    'Sluice programs Kubernetes Services into nftables or iptables, in place of kube-proxy.',
    '',
    'Usage: sluice [COMMAND] [FLAG...]',
    '',
    'Commands:',
    ...commands.map((command) => `  ${command.padEnd(10)}${summaries[command]}`),
    '',
    'Flags without a command mean run, so that a command line of kube-proxy works as it stands.',
    'sluice help COMMAND lists the flags of a command.',
  ];
}

function commandHelp(command: Exclude<Command, 'help'>): readonly string[] {
  const all = flagsOf(command);
  const obeyed = all.filter(({ effect }) => effect === 'obeyed');
  const explained = obeyed.filter(({ isBrief }) => isBrief !== true);
  const named = obeyed.filter(({ isBrief }) => isBrief === true);
  const accepted = all.filter(({ effect }) => effect === 'accepted');
  const column = Math.max(...explained.map((flag) => usage(flag).length)) + 2;
  const lines = [
    `Usage: sluice ${command === 'run' ? '[run]' : command} [FLAG...]`,
    '',
    ...wrapped(`sluice ${command} ${summaries[command]}.`.split(' '), ''),
    '',
    'Flags:',
    ...explained.flatMap((flag) => flagLines(flag, column)),
  ];
  if (accepted.length === 0) return lines;
  if (command !== 'run')
    return [...lines, '', 'All other flags of kube-proxy are accepted, without effect.'];
  return [
    ...lines,
    ...nameLines('Flags of kube-proxy that do what they do there:', named),
    ...nameLines('Flags of kube-proxy that are accepted, without effect yet:', accepted),
  ];
}

function nameLines(title: string, named: readonly Flag[]): readonly string[] {
  if (named.length === 0) return [];
  const names = named.map(({ name }, index) => (index + 1 < named.length ? `${name},` : name));
  return ['', title, ...wrapped(names, '  ')];
}

function flagLines(flag: Flag, column: number): readonly string[] {
  const words = `${flag.help}${defaultText(flag)}`.split(' ');
  return wrapped(words, ' '.repeat(column), usage(flag).padEnd(column));
}

/** `  -o, --output text|json` */
function usage({ name, short, kind, choices, placeholder }: Flag): string {
  const value = kind === 'bool' ? '' : ` ${placeholder ?? choices?.join('|') ?? 'VALUE'}`;
  if (name === short) return `  -${name}${value}`;
  return `${short === undefined ? '      ' : `  -${short}, `}--${name}${value}`;
}

function defaultText({ default: value }: Flag): string {
  const isPlain = typeof value === 'number' || (typeof value === 'string' && value !== '');
  return isPlain ? ` [${value}]` : '';
}

/** The words in lines that fit, each line but the first one's start indented alike. */
function wrapped(words: readonly string[], indent: string, start = indent): readonly string[] {
  const lines: string[] = [];
  let line = start;
  for (const word of words) {
    if (line.length + word.length > width) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
