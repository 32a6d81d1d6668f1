#compdef sluice
# zsh completion for sluice: sluice completion zsh > "${fpath[1]}/_sluice"
_sluice_commands() {
  local -a commands=(
    'run:keeps this node'\''s rules in step'
    'completion:prints this'
  )
  _describe command commands
}
_sluice() {
  local command= word
  local -a specs
  for word in ${words[2,CURRENT-1]}; do
    case $word in (run|completion) command=$word; break ;; esac
  done
  case ${command:-run} in
    (run) specs=(
      '--config=[a file \[of kube-proxy'\''s\]]:file:_files'
      '--output=[the form: text or json]:value:(text json)'
      '-o+[the form: text or json]:value:(text json)'
      '-v+[how much is logged]:value: '
      '--dry-run[changes nothing]'
    ) ;;
    (completion) specs=(
      '--output=[the form: text or json]:value:(text json)'
      '-o+[the form: text or json]:value:(text json)'
      '-v+[how much is logged]:value: '
      '2:word:(bash zsh)'
    ) ;;
  esac
  if [[ -n $command ]]; then specs=("1:command:($command)" $specs)
  else specs=('1:command:_sluice_commands' ${specs:#2:*})
  fi
  _arguments -s $specs
}
if [[ $funcstack[1] == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi
