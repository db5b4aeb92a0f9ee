# fish completion for sparsify

function __sparsify_begins
  test (count (commandline -opc)) -eq 1
end

function __sparsify_runs
  set -l words (commandline -opc)
  test (count $words) -gt 1; and test $words[2] = $argv[1]
end

complete -c sparsify -f
complete -c sparsify -n __sparsify_begins -a prune -d 'Make the weights of a model 2:4 sparse'
complete -c sparsify -n __sparsify_begins -a check -d 'Check that every weight that should be 2:4 sparse is'
complete -c sparsify -n __sparsify_begins -a inspect -d 'List the tensors of a checkpoint with their zeros and 2:4 patterns'
complete -c sparsify -n __sparsify_begins -a eval -d 'Measure the perplexity of a model'
complete -c sparsify -n __sparsify_begins -a generate -d 'Let a model go on from a prompt'
complete -c sparsify -n __sparsify_begins -a bench -d 'Measure the kernels on this machine'
complete -c sparsify -n __sparsify_begins -a info -d 'Show the version, the kernels in use and the machine'
complete -c sparsify -n __sparsify_begins -a completions -d 'Print a completion script for a shell'
complete -c sparsify -n __sparsify_begins -a help -d 'Show the help of a command'
complete -c sparsify -n __sparsify_begins -l version -d 'Show the version'
complete -c sparsify -n __sparsify_begins -s h -l help -d 'Show this help'
complete -c sparsify -n '__sparsify_runs help' -a 'prune check inspect eval generate bench info completions'
complete -c sparsify -n '__sparsify_runs prune' -l method -x -a 'magnitude wanda sparsegpt admm' -d 'How to choose the weights that stay'
complete -c sparsify -n '__sparsify_runs prune' -s o -l output -r -F -d 'Where the pruned model goes: a folder for a folder, a file for a file'
complete -c sparsify -n '__sparsify_runs prune' -l calibration -r -F -d 'What the model reads while its activations are measured: \'self\' for text that it writes itself, a text file, or token ids as FILE.safetensors'
complete -c sparsify -n '__sparsify_runs prune' -l samples -x -d 'The number of calibration sequences'
complete -c sparsify -n '__sparsify_runs prune' -l length -x -d 'The number of tokens in each calibration sequence'
complete -c sparsify -n '__sparsify_runs prune' -l seed -x -d 'Where the random numbers start'
complete -c sparsify -n '__sparsify_runs prune' -l only -x -d 'Take only the weights whose names match; \'*\' stands for any text, \'?\' for one character'
complete -c sparsify -n '__sparsify_runs prune' -l skip -x -d 'Leave out the weights whose names match'
complete -c sparsify -n '__sparsify_runs prune' -l threads -x -d 'The number of threads. Results don\'t depend on it'
complete -c sparsify -n '__sparsify_runs prune' -l report -r -F -d 'Write the numbers of the run to this file, as JSON'
complete -c sparsify -n '__sparsify_runs prune' -l strict -d 'Fail where the method cannot work on a layer. Otherwise wanda stands in, and the report says so'
complete -c sparsify -n '__sparsify_runs prune' -l dry-run -d 'Say what would be done, and write nothing'
complete -c sparsify -n '__sparsify_runs prune' -l force -d 'Replace the output if it exists'
complete -c sparsify -n '__sparsify_runs prune' -l json -d 'Print one JSON object instead of text'
complete -c sparsify -n '__sparsify_runs prune' -s q -l quiet -d 'Show no progress'
complete -c sparsify -n '__sparsify_runs prune' -s h -l help -d 'Show this help'
complete -c sparsify -n '__sparsify_runs prune' -F
complete -c sparsify -n '__sparsify_runs check' -l only -x -d 'Take only the weights whose names match; \'*\' stands for any text, \'?\' for one character'
complete -c sparsify -n '__sparsify_runs check' -l skip -x -d 'Leave out the weights whose names match'
complete -c sparsify -n '__sparsify_runs check' -l threads -x -d 'The number of threads. Results don\'t depend on it'
complete -c sparsify -n '__sparsify_runs check' -l json -d 'Print one JSON object instead of text'
complete -c sparsify -n '__sparsify_runs check' -s q -l quiet -d 'Show no progress'
complete -c sparsify -n '__sparsify_runs check' -s h -l help -d 'Show this help'
complete -c sparsify -n '__sparsify_runs check' -F
complete -c sparsify -n '__sparsify_runs inspect' -l only -x -d 'Take only the weights whose names match; \'*\' stands for any text, \'?\' for one character'
complete -c sparsify -n '__sparsify_runs inspect' -l skip -x -d 'Leave out the weights whose names match'
complete -c sparsify -n '__sparsify_runs inspect' -l threads -x -d 'The number of threads. Results don\'t depend on it'
complete -c sparsify -n '__sparsify_runs inspect' -l json -d 'Print one JSON object instead of text'
complete -c sparsify -n '__sparsify_runs inspect' -s q -l quiet -d 'Show no progress'
complete -c sparsify -n '__sparsify_runs inspect' -s h -l help -d 'Show this help'
complete -c sparsify -n '__sparsify_runs inspect' -F
complete -c sparsify -n '__sparsify_runs eval' -l text -r -F -d 'The text to predict, in UTF-8'
complete -c sparsify -n '__sparsify_runs eval' -l tokens -r -F -d 'The token ids to predict, in a .safetensors file'
complete -c sparsify -n '__sparsify_runs eval' -l length -x -d 'The number of tokens in each window'
complete -c sparsify -n '__sparsify_runs eval' -l windows -x -d 'Use the first n windows only'
complete -c sparsify -n '__sparsify_runs eval' -l threads -x -d 'The number of threads. Results don\'t depend on it'
complete -c sparsify -n '__sparsify_runs eval' -l json -d 'Print one JSON object instead of text'
complete -c sparsify -n '__sparsify_runs eval' -s q -l quiet -d 'Show no progress'
complete -c sparsify -n '__sparsify_runs eval' -s h -l help -d 'Show this help'
complete -c sparsify -n '__sparsify_runs eval' -F
complete -c sparsify -n '__sparsify_runs generate' -s p -l prompt -x -d 'What the model goes on from'
complete -c sparsify -n '__sparsify_runs generate' -l tokens -x -d 'The number of tokens to write at most'
complete -c sparsify -n '__sparsify_runs generate' -l temperature -x -d 'How daring the choice of each token is: 0 takes the likeliest, 1 draws from the model\'s own distribution'
complete -c sparsify -n '__sparsify_runs generate' -l seed -x -d 'Where the random numbers start'
complete -c sparsify -n '__sparsify_runs generate' -l threads -x -d 'The number of threads. Results don\'t depend on it'
complete -c sparsify -n '__sparsify_runs generate' -l json -d 'Print one JSON object instead of text'
complete -c sparsify -n '__sparsify_runs generate' -s q -l quiet -d 'Show no progress'
complete -c sparsify -n '__sparsify_runs generate' -s h -l help -d 'Show this help'
complete -c sparsify -n '__sparsify_runs generate' -F
complete -c sparsify -n '__sparsify_runs bench' -l threads -x -d 'The number of threads. Results don\'t depend on it'
complete -c sparsify -n '__sparsify_runs bench' -l json -d 'Print one JSON object instead of text'
complete -c sparsify -n '__sparsify_runs bench' -s q -l quiet -d 'Show no progress'
complete -c sparsify -n '__sparsify_runs bench' -s h -l help -d 'Show this help'
complete -c sparsify -n '__sparsify_runs bench' -a 'fma-peak read memcpy gemm pack rank-k cholesky solve sparsegpt attention decode-attention linear-row norms magnitude select check convert fingerprint silu assignment permutation'
complete -c sparsify -n '__sparsify_runs info' -l threads -x -d 'The number of threads. Results don\'t depend on it'
complete -c sparsify -n '__sparsify_runs info' -l json -d 'Print one JSON object instead of text'
complete -c sparsify -n '__sparsify_runs info' -s h -l help -d 'Show this help'
complete -c sparsify -n '__sparsify_runs completions' -s h -l help -d 'Show this help'
complete -c sparsify -n '__sparsify_runs completions' -a 'bash zsh fish'
