# bash completion for sparsify

_sparsify_words() {
  COMPREPLY=($(compgen -W "$1" -- "$word"))
}

_sparsify_files() {
  local IFS=$'\n'
  # Readline's own file completion quotes names; bash 3.2 can't be asked for it.
  compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$word"))
}

_sparsify() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  # Readline makes three words of --option=value.
  if [[ $word == = ]]; then
    word=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    _sparsify_words 'sample help --version -h --help'
    return
  fi
  case ${COMP_WORDS[1]} in
  sample)
    case $previous in
    -c | --color)
      _sparsify_words 'red green blue'
      return
      ;;
    -n | --count | --limit | --name | --only)
      :
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '-c --color -n --count --limit --name --only -v --verbose -f --fast --sort --no-sort -h --help'
    else
      _sparsify_files
    fi
    ;;
  help)
    [[ $COMP_CWORD -eq 2 ]] && _sparsify_words 'sample'
    ;;
  esac
}

complete -F _sparsify sparsify
