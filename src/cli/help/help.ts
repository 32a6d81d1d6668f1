// Writes the help from the table of commands: text that fits a screen.
import { formatDuration } from '../../config/values/go-values.ts';
import type { Flag } from '../arguments/flag.ts';
import { deciding, everywhere, flagsNamed } from '../arguments/flags.ts';
import type { Command, Example, Operand } from '../commands/command.ts';
import { wrap } from '../report/wrap.ts';

const width = 80;

/** The commands, a line each. */
export function overview(commands: readonly Command[]): string {
  return textOf([
    'Sluice programs Kubernetes Services into nftables or iptables.',
    'Usage: sluice [COMMAND] [FLAG...]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`),
    '',
    'Flags without a command mean run. Flags: sluice help COMMAND, sluice options.',
  ]);
}

/** The help of a command. */
export function helpText(command: Command): string {
  const { name, summary, details = '', examples = [] } = command;
  const own = flagsNamed(command.flags);
  return textOf([
    usageOf(command),
    '',
    ...wrap(`sluice ${name} ${summary}. ${details}`.trim(), width),
    ...wrap(exitCodesText(command), width),
    ...(own.length === 0 ? [] : ['', 'Flags:', ...flagLines(own)]),
    ...(examples.length === 0 ? [] : ['', 'Examples:', ...examples.map(exampleLine)]),
    ...(own.length === 0 ? [] : ['', 'sluice options lists the flags that many commands take.']),
  ]);
}

function textOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

/** `Usage: sluice explain FROM TO:PORT[/PROTOCOL] [FLAG...]` */
export function usageOf({ name, operands = [] }: Command): string {
  const words = [name === 'run' ? '[run]' : name, ...operands.map(operandName)];
  return `Usage: sluice ${words.join(' ')} [FLAG...]`;
}

function operandName({ name, isOptional }: Operand): string {
  return isOptional === true ? `[${name}]` : name;
}

/** `Exit codes: 0 done, 2 failed.` */
function exitCodesText({ exitCodes }: Command): string {
  const codes = Object.entries(exitCodes).map(([code, meaning]) => `${code} ${meaning}`);
  return `Exit codes: ${codes.join('; ')}.`;
}

/** The flags that many commands take, in groups: more than a screen. */
export function optionsText(commands: readonly Command[]): string {
  const takers = commands.filter(({ decides }) => decides).map(({ name }) => name);
  const obeyed = deciding.filter(({ effect = 'obeyed' }) => effect === 'obeyed');
  return textOf([
    'Flags of every command:',
    ...flagLines(everywhere),
    '',
    ...wrap(`Flags of the commands that decide about Services (${takers.join(', ')}):`, width),
    ...flagLines(obeyed.filter(({ isBrief }) => isBrief !== true)),
    ...nameLines(
      'Flags of kube-proxy that do what they do there:',
      obeyed.filter(({ isBrief }) => isBrief === true),
    ),
    ...nameLines(
      'Flags of kube-proxy that are accepted, without effect yet:',
      deciding.filter(({ effect }) => effect === 'accepted'),
    ),
  ]);
}

function nameLines(title: string, named: readonly Flag[]): readonly string[] {
  const names = named.map(({ name }) => name).join(', ');
  return ['', title, ...wrap(names, width - 2).map((line) => `  ${line}`)];
}

// Of a flag whose name is very long the words stand below it.
const widestColumn = 36;

function flagLines(flags: readonly Flag[]): readonly string[] {
  const widths = flags
    .map((flag) => spelling(flag).length + 2)
    .filter((one) => one <= widestColumn);
  const column = Math.max(...widths);
  return flags
    .flatMap((flag) => {
      const words = wrap(`${flag.help}${defaultText(flag)}`, width - column);
      const start = spelling(flag);
      const isLong = start.length + 2 > column;
      const [first, ...rest] = isLong ? ['', ...words] : words;
      return [`${start.padEnd(column)}${first}`, ...rest.map((line) => ' '.repeat(column) + line)];
    })
    .map((line) => line.trimEnd());
}

/** `  -o, --output text|json` */
function spelling(flag: Flag): string {
  const { name, short } = flag;
  if (name === short) return `  -${name} ${valueName(flag)}`;
  return `${short === undefined ? '      ' : `  -${short}, `}--${name} ${valueName(flag)}`.trimEnd();
}

/** What stands for a flag's value; '' where it takes none. */
export function valueName({ kind, choices, placeholder }: Flag): string {
  return kind === 'bool' ? '' : (placeholder ?? choices?.join('|') ?? 'VALUE');
}

function defaultText(flag: Flag): string {
  const usual = usualValue(flag);
  return usual === '' ? '' : ` [${usual}]`;
}

/** The default as one types it; '' for nothing. */
export function usualValue({ default: value, kind }: Flag): string {
  if (kind === 'duration' && typeof value === 'number') return formatDuration(value);
  return value === true || typeof value === 'number' || typeof value === 'string' ? `${value}` : '';
}

function exampleLine([line, does]: Example): string {
  return `  ${line}${does === undefined ? '' : `  # ${does}`}`;
}
