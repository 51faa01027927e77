#compdef writecanary
# Commands and options come from --help, so that they are always those of the installed version.

_writecanary() {
  local program=$words[1] command=${${words[2,CURRENT-1]:#-*}[1]}
  local -a lines

  if [[ -z $command && $PREFIX != -* ]]; then
    lines=(${(f)"$($program --help 2>/dev/null |
      awk '/^Subcommands:/ { found = 1; next } /^$/ { found = 0 }
           found && /^  [a-z]/ { name = $1; $1 = ""; print name ":" substr($0, 2) }')"})
    _describe command lines
    return
  fi

  case $words[CURRENT-1] in
    --profile)
      lines=(all ${(f)"$($program profiles 2>/dev/null | awk -F '[ (]' '/^[a-z]/ { print $1 }')"})
      _describe profile lines
      return ;;
    --keep-evidence) _files -/; return ;;
    --token-file) _files; return ;;
  esac

  if [[ $PREFIX == -* ]]; then
    lines=(${(f)"$($program $command --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)"})
    _describe option lines
    return
  fi
  case $command in
    check) _files -/ ;;
    at-risk|explain|replay|reproducer) _files ;;
  esac
}

_writecanary "$@"
