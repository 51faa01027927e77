# fish completion for writecanary
# Commands and options come from --help, so that they are always those of the installed version.

function __writecanary_commands
    writecanary --help 2>/dev/null | awk '/^Subcommands:/ { found = 1; next } /^$/ { found = 0 }
        found && /^  [a-z]/ { name = $1; $1 = ""; print name "\t" substr($0, 2) }'
end

function __writecanary_command
    string match -v -- '-*' (commandline -opc)[2..] | head -n 1
end

function __writecanary_options
    writecanary (__writecanary_command) --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u
end

function __writecanary_profiles
    echo all
    writecanary profiles 2>/dev/null | awk -F '[ (]' '/^[a-z]/ { print $1 }'
end

complete -c writecanary -f
complete -c writecanary -n 'test -z (__writecanary_command)' -a '(__writecanary_commands)'
complete -c writecanary -n 'string match -q -- "-*" (commandline -ct)' -a '(__writecanary_options)'
complete -c writecanary -l profile -x -a '(__writecanary_profiles)'
complete -c writecanary -l keep-evidence -x -a '(__fish_complete_directories)'
complete -c writecanary -l token-file -r -F
complete -c writecanary -n 'contains -- (__writecanary_command) check' -a '(__fish_complete_directories)'
complete -c writecanary -n 'contains -- (__writecanary_command) at-risk explain replay reproducer' -F
