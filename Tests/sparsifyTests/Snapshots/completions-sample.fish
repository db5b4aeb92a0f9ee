# fish completion for sparsify

function __sparsify_begins
  test (count (commandline -opc)) -eq 1
end

function __sparsify_runs
  set -l words (commandline -opc)
  test (count $words) -gt 1; and test $words[2] = $argv[1]
end

complete -c sparsify -f
complete -c sparsify -n __sparsify_begins -a sample -d 'Do one of everything'
complete -c sparsify -n __sparsify_begins -a help -d 'Show the help of a command'
complete -c sparsify -n __sparsify_begins -l version -d 'Show the version'
complete -c sparsify -n __sparsify_begins -s h -l help -d 'Show this help'
complete -c sparsify -n '__sparsify_runs help' -a 'sample'
complete -c sparsify -n '__sparsify_runs sample' -s c -l color -x -a 'red green blue' -d 'How it looks'
complete -c sparsify -n '__sparsify_runs sample' -s n -l count -x -d 'How many'
complete -c sparsify -n '__sparsify_runs sample' -l limit -x -d 'Where to stop'
complete -c sparsify -n '__sparsify_runs sample' -l name -x -d 'What it is called'
complete -c sparsify -n '__sparsify_runs sample' -l only -x -d 'Which ones'
complete -c sparsify -n '__sparsify_runs sample' -s v -l verbose -d 'Say more'
complete -c sparsify -n '__sparsify_runs sample' -s f -l fast -d 'Hurry'
complete -c sparsify -n '__sparsify_runs sample' -l sort -d 'Put them in order'
complete -c sparsify -n '__sparsify_runs sample' -l no-sort -d 'Put them in order'
complete -c sparsify -n '__sparsify_runs sample' -s h -l help -d 'Show this help'
complete -c sparsify -n '__sparsify_runs sample' -F
