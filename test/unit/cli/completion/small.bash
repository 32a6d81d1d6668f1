# bash completion for sluice: source <(sluice completion bash)
_sluice() {
  local word command= told=0 flag= cur=${COMP_WORDS[COMP_CWORD]} words=
  local i=1 skip=
  # A word is the command, or one that it is told, where it is no flag and no flag's value.
  while (( i < COMP_CWORD )); do
    word=${COMP_WORDS[i]}
    if [[ $word == '=' ]]; then skip=1
    elif [[ -n $skip ]]; then skip=
    elif [[ $word == -* ]]; then
      _sluice_takes_value "$word" && [[ ${COMP_WORDS[i+1]} != '=' ]] && skip=1
    elif [[ -z $command ]]; then command=$word
    else told=1
    fi
    (( i++ ))
  done
  # bash takes --flag=value apart.
  if [[ $cur == '=' ]]; then flag=${COMP_WORDS[COMP_CWORD-1]} cur=
  elif [[ ${COMP_WORDS[COMP_CWORD-1]} == '=' ]]; then flag=${COMP_WORDS[COMP_CWORD-2]}
  elif [[ -n $skip ]]; then flag=${COMP_WORDS[COMP_CWORD-1]}
  fi
  if [[ -n $flag ]]; then
    case $flag in
      --output|-o) words='text json' ;;
      --config)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  if [[ $cur == -* ]]; then
    case ${command:-run} in
      run) words='--config --output -o -v --dry-run' ;;
      completion) words='--output -o -v' ;;
    esac
  elif [[ -z $command ]]; then words='run completion'
  elif (( ! told )); then
    case $command in
      completion) words='bash zsh' ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
_sluice_takes_value() {
  case $1 in
    --config|--output|-o|-v) return 0 ;;
  esac
  return 1
}
complete -F _sluice sluice
