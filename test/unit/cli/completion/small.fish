# fish completion for sluice: sluice completion fish | source
complete -c sluice -f
complete -c sluice -n 'not __fish_seen_subcommand_from run completion' -a run -d 'keeps this node\'s rules in step'
complete -c sluice -n 'not __fish_seen_subcommand_from run completion' -a completion -d 'prints this'
complete -c sluice -n '__fish_seen_subcommand_from completion' -a 'bash zsh'
complete -c sluice -n '__fish_seen_subcommand_from run; or not __fish_seen_subcommand_from run completion' -l config -r -F -d 'a file [of kube-proxy\'s]'
complete -c sluice -n '__fish_seen_subcommand_from run completion; or not __fish_seen_subcommand_from run completion' -l output -s o -x -a 'text json' -d 'the form: text or json'
complete -c sluice -n '__fish_seen_subcommand_from run completion; or not __fish_seen_subcommand_from run completion' -s v -x -d 'how much is logged'
complete -c sluice -n '__fish_seen_subcommand_from run; or not __fish_seen_subcommand_from run completion' -l dry-run -d 'changes nothing'
