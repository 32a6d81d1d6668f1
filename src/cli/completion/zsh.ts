// The completion script for zsh. Pure; _arguments does the work.
import type { CompletedCommand, CompletedFlag, Table } from './table.ts';
import { flagsFor, impliedCommand, shellQuoted } from './table.ts';

/** The script, as the file _sluice of a folder in fpath, or sourced. */
export function zshScript(table: Table): string {
  const { commands } = table;
  const names = commands.map(({ name }) => name);
  const described = commands.map(({ name, summary }) => shellQuoted(`${name}:${summary}`));
  return `#compdef sluice
# zsh completion for sluice: sluice completion zsh > "\${fpath[1]}/_sluice"
_sluice_commands() {
  local -a commands=(
${described.map((line) => `    ${line}`).join('\n')}
  )
  _describe command commands
}
_sluice() {
  local command= word
  local -a specs
  for word in \${words[2,CURRENT-1]}; do
    case $word in (${names.join('|')}) command=$word; break ;; esac
  done
  case \${command:-${impliedCommand}} in
${commands.map((command) => commandCase(table, command)).join('\n')}
  esac
  if [[ -n $command ]]; then specs=("1:command:($command)" $specs)
  else specs=('1:command:_sluice_commands' \${specs:#2:*})
  fi
  _arguments -s $specs
}
if [[ $funcstack[1] == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi
`;
}

function commandCase(table: Table, { name, operands }: CompletedCommand): string {
  const specs = flagsFor(table, name).flatMap(specsOf);
  const told = operands.length === 0 ? [] : [shellQuoted(`2:word:(${operands.join(' ')})`)];
  const lines = [...specs, ...told].map((spec) => `      ${spec}`);
  return `    (${name}) specs=(\n${lines.join('\n')}\n    ) ;;`;
}

function specsOf({ name, letter, help, value }: CompletedFlag): readonly string[] {
  // Brackets and colons part a specification.
  const words = help.replaceAll(/[[\]]/g, '\\$&');
  const action = actionOf(value);
  const long =
    name === undefined ? [] : [`--${name}${action === '' ? '' : '='}[${words}]${action}`];
  const short =
    letter === undefined ? [] : [`-${letter}${action === '' ? '' : '+'}[${words}]${action}`];
  return [...long, ...short].map(shellQuoted);
}

function actionOf(value: CompletedFlag['value']): string {
  switch (value.kind) {
    case 'none':
      return '';
    case 'file':
      return ':file:_files';
    case 'any':
      return ':value: ';
    case 'choices':
      return `:value:(${value.choices.join(' ')})`;
    default:
      return value satisfies never;
  }
}
