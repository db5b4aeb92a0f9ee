#compdef sparsify

_sparsify_commands() {
  local -a commands
  commands=(
    'sample:Do one of everything'
    'help:Show the help of a command'
  )
  _describe -t commands subcommand commands
}

_sparsify() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C \
    '(- *)'{-h,--help}'[Show this help]' \
    '(- *)--version[Show the version]' \
    '1:subcommand:_sparsify_commands' \
    '*::argument:->arguments' && return 0
  case $line[1] in
  sample)
    _arguments -s -S \
      '(-c --color)'{-c+,--color=}'[How it looks]:color:(red green blue)' \
      '(-n --count)'{-n+,--count=}'[How many]:n: ' \
      '--limit=[Where to stop]:bytes: ' \
      '--name=[What it is called]:text: ' \
      '*--only=[Which ones]:glob: ' \
      '(-v --verbose)'{-v,--verbose}'[Say more]' \
      '(-f --fast)'{-f,--fast}'[Hurry]' \
      '(--sort --no-sort)'{--sort,--no-sort}'[Put them in order]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:file:_files' \
      '*:extra: '
    ;;
  help)
    _arguments '1:subcommand:_sparsify_commands'
    ;;
  esac
}

if [[ $funcstack[1] == _sparsify ]]; then
  _sparsify "$@"
else
  compdef _sparsify sparsify
fi
