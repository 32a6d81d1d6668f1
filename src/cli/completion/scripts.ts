// `sluice completion SHELL`: the stub by which a shell asks `sluice __complete` and shows the answer.
import { quoted } from '../../cluster/problem.ts';
import { UsageError } from '../../errors.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';

// bash 4 and newer.
const bash = `# bash completion for sluice: source <(sluice completion bash)
_sluice() {
  local word does cur=\${COMP_WORDS[COMP_CWORD]}
  [[ $cur == '=' ]] && cur=
  COMPREPLY=()
  while IFS=$'\\t' read -r word does; do
    if [[ $word == :files ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    else COMPREPLY+=("$word")
    fi
  done < <("$1" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _sluice sluice
`;

const zsh = `#compdef sluice
# zsh completion for sluice: sluice completion zsh > "\${fpath[1]}/_sluice"
_sluice() {
  local line
  local -a offered
  for line in \${(f)"$("\${(Q)words[1]}" __complete "\${(Q@)words[2,CURRENT]}" 2>/dev/null)"}; do
    if [[ $line == :files ]]; then compset -P '-*='; _files; return; fi
    offered+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe sluice offered
}
if [[ $funcstack[1] == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi
`;

const fish = `# fish completion for sluice: sluice completion fish | source
function __sluice_offer
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l lines ($words[1] __complete $words[2..] "$current" 2>/dev/null)
  if test "$lines" = :files
    set -l flag (string match -r '^-[^=]*=' -- $current)
    printf "$flag%s\\n" (__fish_complete_path (string replace -r '^-[^=]*=' '' -- "$current"))
  else
    printf '%s\\n' $lines
  end
end
complete -c sluice -f -a '(__sluice_offer)'
`;

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };

/** Prints the stub for one shell. */
export function completionCommand(shell: string, { stdout }: Io): number {
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined) {
    const known = Object.keys(scripts).join(', ');
    throw new UsageError(`completion: ${quoted(shell)} is none of ${known}`);
  }
  stdout.write(script);
  return exitCodes.same;
}
