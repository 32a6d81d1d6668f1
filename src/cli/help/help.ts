// Writes the help from the table of flags: a command in, text that fits a screen out.
import { formatDuration } from '../../config/values/go-values.ts';
import { commands, operands, type Command, type Flag } from '../arguments/flag.ts';
import { flags, flagsOf, isGeneral } from '../arguments/flags.ts';

const width = 80;

/** What each command does, in a line of the overview. */
export const summaries: Readonly<Record<Command, string>> = {
  run: "keeps this node's Service rules in step with the cluster",
  diff: 'shows what run would change, Service by Service',
  explain: 'says what becomes of a packet, and why',
  verify: 'compares the kernel with the model, rule by rule',
  status: 'says how a running daemon stands, and what it did last',
  top: 'shows new connections a second, by Service and endpoint',
  replay: 'runs a flight record again, and compares the plans',
  render: 'prints the rules that run would program',
  cleanup: 'removes the rules of a proxy mode from this node',
  takeover: 'takes this node over from kube-proxy, or says what would differ',
  rollback: 'puts back the rules that stood here before the takeover',
  lab: 'makes a cluster of network namespaces, and tries Services in it',
  doctor: 'names what is wrong with this node, and the command that mends it',
  completion: 'prints what makes a shell complete commands and flags',
  options: 'lists the flags that many commands take',
  version: 'prints the version',
  help: 'prints this, or the help of the command named next',
};

/** What more there is to say of a command. */
const notes: Readonly<Partial<Record<Command, string>>> = {
  run: 'Follows the API server, or manifests, until it is stopped; the rules stay. Flags are those of kube-proxy, and without a command mean run.',
  diff: 'Exits with 0 where nothing would change, 1 where something would, 2 on failure, and 3 where more would be lost than is allowed.',
  explain: '--live sends a packet, or waits for one, and compares.',
  status:
    'Exits with 0 where all is well, 1 where something is behind, left alone or not heard, 2 where no daemon answers.',
  top: 'Refreshes every 2 s on a terminal until q or Ctrl-C; elsewhere prints once. Endpoints are counted in iptables mode, and with run --service-counters endpoints.',
  replay:
    'Touches no kernel. FILE is what sluice status --passes printed; - for standard input. Exits with 0 where every plan is the same, 1 where one differs, 2 on failure.',
  verify:
    'Changes nothing. Exits with 0 where all is as it must be, 1 where something differs, 2 on failure.',
  takeover:
    'Exits with 0 where all is alike or done, 1 where packets would end otherwise, 2 on failure.',
  doctor:
    'Changes nothing. Exits with 0 where all is well, 1 where something is to be mended, 2 where something could not be looked at.',
  completion:
    'For bash: source <(sluice completion bash). For zsh: sluice completion zsh > "${fpath[1]}/_sluice". For fish: sluice completion fish | source.',
};

/** The help of a command; that of `help` is the overview. */
export function helpText(command: Command): string {
  return `${(command === 'help' ? overview() : commandHelp(command)).join('\n')}\n`;
}

function overview(): readonly string[] {
  return [
    'Sluice programs Kubernetes Services into nftables or iptables.',
    'Usage: sluice [COMMAND] [FLAG...]',
    '',
    ...commands.map((command) => `  ${command.padEnd(12)}${summaries[command]}`),
    '',
    'Flags without a command mean run. Flags: sluice help COMMAND, sluice options.',
  ];
}

function commandHelp(command: Exclude<Command, 'help'>): readonly string[] {
  const own = flagsOf(command).filter((flag) => !isGeneral(flag));
  const name = command === 'run' ? '[run]' : command;
  const note = notes[command] ?? '';
  return [
    `Usage: sluice ${[name, ...(operands[command] ?? [])].join(' ')} [FLAG...]`,
    '',
    ...wrapped(`sluice ${command} ${summaries[command]}. ${note}`.trim().split(' '), ''),
    '',
    ...(own.length === 0 ? [] : ['Flags:', ...allFlagLines(own), '']),
    'sluice options lists the flags that many commands take.',
  ];
}

/** The flags that many commands take, in groups: more than a screen. */
export function optionsText(): string {
  const general = flags.filter((flag) => isGeneral(flag) && flag.effect !== 'refused');
  const obeyed = general.filter(({ effect }) => effect === 'obeyed');
  const explained = obeyed.filter(({ isBrief }) => isBrief !== true);
  const everywhere = explained.filter((flag) => flag.commands.length === commands.length);
  const deciding = explained.filter((flag) => !everywhere.includes(flag));
  const lines = [
    'Flags of every command:',
    ...allFlagLines(everywhere),
    '',
    'Flags of the commands that decide about Services (run, diff, render and others):',
    ...allFlagLines(deciding),
    ...nameLines(
      'Flags of kube-proxy that do what they do there:',
      obeyed.filter(({ isBrief }) => isBrief === true),
    ),
    ...nameLines(
      'Flags of kube-proxy that are accepted, without effect yet:',
      general.filter(({ effect }) => effect === 'accepted'),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function nameLines(title: string, named: readonly Flag[]): readonly string[] {
  if (named.length === 0) return [];
  const names = named.map(({ name }, index) => (index + 1 < named.length ? `${name},` : name));
  return ['', title, ...wrapped(names, '  ')];
}

// Of a flag whose name is very long the words stand below it.
const widestColumn = 36;

function allFlagLines(all: readonly Flag[]): readonly string[] {
  const widths = all.map((flag) => usage(flag).length + 2).filter((one) => one <= widestColumn);
  const column = Math.max(...widths);
  return all.flatMap((flag) => flagLines(flag, column));
}

function flagLines(flag: Flag, column: number): readonly string[] {
  const words = `${flag.help}${defaultText(flag)}`.split(' ');
  const [start, indent] = [usage(flag), ' '.repeat(column)];
  if (start.length + 2 > column) return [start, ...wrapped(words, indent)];
  return wrapped(words, indent, start.padEnd(column));
}

/** `  -o, --output text|json` */
function usage({ name, short, kind, choices, placeholder }: Flag): string {
  const value = kind === 'bool' ? '' : ` ${placeholder ?? choices?.join('|') ?? 'VALUE'}`;
  if (name === short) return `  -${name}${value}`;
  return `${short === undefined ? '      ' : `  -${short}, `}--${name}${value}`;
}

function defaultText({ default: value, kind }: Flag): string {
  if (kind === 'duration' && typeof value === 'number') return ` [${formatDuration(value)}]`;
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
