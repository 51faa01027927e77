# bash completion for writecanary                                          -*- shell-script -*-
# Commands and options come from --help, so that they are always those of the installed version.

_writecanary()
{
    local cur prev words cword
    _init_completion || return

    local command='' word
    for word in "${words[@]:1:cword-1}"; do
        [[ $word == -* ]] && continue
        command=$word
        break
    done

    if [[ -z $command && $cur != -* ]]; then
        COMPREPLY=($(compgen -W "$("$1" --help 2>/dev/null |
            awk '/^Subcommands:/ { found = 1; next } /^$/ { found = 0 } found && /^  [a-z]/ { print $1 }')" -- "$cur"))
        return
    fi

    case $prev in
        --profile)
            COMPREPLY=($(compgen -W "all $("$1" profiles 2>/dev/null | awk -F '[ (]' '/^[a-z]/ { print $1 }')" -- "$cur"))
            return
            ;;
        --keep-evidence)
            _filedir -d
            return
            ;;
        --token-file)
            _filedir
            return
            ;;
        --verdict)
            COMPREPLY=($(compgen -W 'clean corrupt violation unexposed unsupported error stuck stopped interrupted' -- "$cur"))
            return
            ;;
        --fail-on)
            COMPREPLY=($(compgen -W 'violation corrupt' -- "$cur"))
            return
            ;;
        --format)
            local formats='text json junit tap'
            [[ $command == report ]] && formats='text json'
            COMPREPLY=($(compgen -W "$formats" -- "$cur"))
            return
            ;;
        --state)
            COMPREPLY=($(compgen -W 'queued running finished' -- "$cur"))
            return
            ;;
        --acknowledged)
            COMPREPLY=($(compgen -W 'true false' -- "$cur"))
            return
            ;;
    esac

    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$("$1" $command --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)" -- "$cur"))
        return
    fi
    case $command in
        check) _filedir -d ;;
        at-risk | explain | replay | reproducer) _filedir ;;
    esac
} && complete -F _writecanary writecanary
