// The completion script for bash, 4 and newer. Pure.
import type { CompletedFlag, Table } from './table.ts';
import { flagsFor, impliedCommand, spellings } from './table.ts';

/** The script, to be sourced. */
export function bashScript(table: Table): string {
  const { commands, flags } = table;
  const names = commands.map(({ name }) => name).join(' ');
  return `# bash completion for sluice: source <(sluice completion bash)
_sluice() {
  local word command= told=0 flag= cur=\${COMP_WORDS[COMP_CWORD]} words=
  local i=1 skip=
  # A word is the command, or one that it is told, where it is no flag and no flag's value.
  while (( i < COMP_CWORD )); do
    word=\${COMP_WORDS[i]}
    if [[ $word == '=' ]]; then skip=1
    elif [[ -n $skip ]]; then skip=
    elif [[ $word == -* ]]; then
      _sluice_takes_value "$word" && [[ \${COMP_WORDS[i+1]} != '=' ]] && skip=1
    elif [[ -z $command ]]; then command=$word
    else told=1
    fi
    (( i++ ))
  done
  # bash takes --flag=value apart.
  if [[ $cur == '=' ]]; then flag=\${COMP_WORDS[COMP_CWORD-1]} cur=
  elif [[ \${COMP_WORDS[COMP_CWORD-1]} == '=' ]]; then flag=\${COMP_WORDS[COMP_CWORD-2]}
  elif [[ -n $skip ]]; then flag=\${COMP_WORDS[COMP_CWORD-1]}
  fi
  if [[ -n $flag ]]; then
    case $flag in
${[...valueCases(flags)].map((line) => `      ${line}`).join('\n')}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  if [[ $cur == -* ]]; then
    case \${command:-${impliedCommand}} in
${commands.map(({ name }) => `      ${name}) words='${flagWords(table, name)}' ;;`).join('\n')}
    esac
  elif [[ -z $command ]]; then words='${names}'
  elif (( ! told )); then
    case $command in
${commands
  .filter(({ operands }) => operands.length > 0)
  .map(({ name, operands }) => `      ${name}) words='${operands.join(' ')}' ;;`)
  .join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
_sluice_takes_value() {
  case $1 in
    ${patternOf(flags.filter(({ value }) => value.kind !== 'none'))}) return 0 ;;
  esac
  return 1
}
complete -F _sluice sluice
`;
}

function flagWords(table: Table, command: string): string {
  return flagsFor(table, command).flatMap(spellings).join(' ');
}

function patternOf(flags: readonly CompletedFlag[]): string {
  return flags.flatMap(spellings).join('|');
}

function* valueCases(flags: readonly CompletedFlag[]): Generator<string> {
  for (const flag of flags) {
    if (flag.value.kind !== 'choices') continue;
    yield `${patternOf([flag])}) words='${flag.value.choices.join(' ')}' ;;`;
  }
  const files = flags.filter(({ value }) => value.kind === 'file');
  if (files.length === 0) return;
  yield `${patternOf(files)})`;
  yield '  compopt -o filenames 2>/dev/null';
  yield '  mapfile -t COMPREPLY < <(compgen -f -- "$cur")';
  yield '  return ;;';
}
