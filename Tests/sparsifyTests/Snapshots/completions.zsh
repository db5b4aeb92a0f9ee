#compdef sparsify

_sparsify_commands() {
  local -a commands
  commands=(
    'prune:Make the weights of a model 2\:4 sparse'
    'finetune:Train the kept weights of a 2\:4 model with its masks held'
    'quantize:Put the weights of a model in INT8'
    'compress:Store the 2\:4 weights of a model as kept values and masks'
    'expand:Store the compressed weights of a model whole again, zeros included'
    'export:Write a 2\:4 model in the form that another program takes'
    'check:Check that every weight that should be 2\:4 sparse is'
    'inspect:List the tensors of a checkpoint with their zeros and 2\:4 patterns'
    'plan:Predict what 2\:4 would bring on a GPU\: time, memory, and whether it pays'
    'sensitivity:Measure what pruning each layer by itself would cost'
    'eval:Measure the perplexity of a model'
    'compare:Compare two models\: accuracy, size, and speed on this machine'
    'sweep:Prune and quantize a model in several ways and compare the results'
    'generate:Let a model go on from a prompt'
    'calibrate:Collect statistics of what the layers of a model read'
    'merge:Put the parts together that several runs have made'
    'bench:Measure the kernels on this machine or its GPU'
    'info:Show the version, the kernels in use, the machine and its GPUs'
    'completions:Print a completion script for a shell'
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
  prune)
    _arguments -s -S \
      '--method=[How to choose the weights that stay; '\''asp'\'' is magnitude, then training]:method:(magnitude wanda sparsegpt admm asp)' \
      '--effort=[How long admm and --refit search]:effort:(fast standard best)' \
      '(-o --output)'{-o+,--output=}'[Where the pruned model goes\: a folder for a folder, a file for a file]:path:_files' \
      '--calibration=[What the model reads while its activations are measured\: '\''self'\'' for text that it writes itself, a text file, or token ids as FILE.safetensors]:source:_files' \
      '--samples=[The number of calibration sequences]:n: ' \
      '--length=[The number of tokens in each calibration sequence]:n: ' \
      '--start-token=[Whether each window of a text, or a prompt, begins with the token that the tokenizer puts there\: '\''none'\'' for without]:rule:(auto none)' \
      '--seed=[Where the random numbers start]:n: ' \
      '(--permute --no-permute)'{--permute,--no-permute}'[Put channels into an order in which 2\:4 keeps more. The model computes the same function]' \
      '--quantize=[Make the pruned weights INT8 with a scale for each output channel, in the layout of compressed-tensors]:type:(int8)' \
      '--order=[Whether weights are pruned and rounded at once, or one comes first]:order:(joint prune-first quantize-first)' \
      '--group-size=[Give every n neighbouring weights of a row an INT8 scale of their own. transformers loads that, vLLM'\''s W8A8 does not]:n: ' \
      '--smooth=[Move outliers of the activations into the weights before pruning (SmoothQuant), folded into the norms]:alpha: ' \
      '--refit[Keep the masks of a model that is 2\:4 already, and solve its weights anew against --dense]' \
      '--dense=[The dense original of the model, for --refit]:model:_files' \
      '--reconstruct=[Train the kept weights of each block so many times over the calibration, once it is pruned, to give what the dense block gives]:epochs: ' \
      '--statistics=[Prune each layer by itself with statistics of the dense model that '\''sparsify calibrate'\'' has written, instead of running the model]:file:_files' \
      '--blocks=[Prune only the blocks from A to before B, in quotes or as A\:B, and write a part for '\''sparsify merge'\'']:A..<B: ' \
      '--tensors=[Prune one of N parts of about as many bytes, counted from 0, and write it for '\''sparsify merge'\''. '\''auto/N'\'' takes I from the environment of an array job, '\''auto'\'' N as well]:I/N: ' \
      '--shard-size=[Cut the weights of a folder into files of at most this size, such as 2G, with an index]:size: ' \
      '*--only=[Take only the weights whose names match; '\''*'\'' stands for any text, '\''?'\'' for one character]:glob: ' \
      '*--skip=[Leave out the weights whose names match]:glob: ' \
      '--memory=[Keep to this much memory, such as 8G or 900M (a unit is 1024 of the one before). What does not fit waits in a scratch file beside the output. The result is the same]:size: ' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--text=[Measure the perplexity of the model and of what it has become on this text, as '\''sparsify eval'\'' does]:file:_files' \
      '--windows=[Use the first n windows of --text only]:n: ' \
      '--report=[Write the numbers to this file, too\: as a page to look at where its name ends in .html or .htm, as JSON where it ends in .json]:file:_files' \
      '--strict[Fail where the method cannot work on a layer. Otherwise wanda stands in, and the report says so]' \
      '--dry-run[Say what would be done and, by estimate, what it would take, and write nothing]' \
      '--resume[Go on with a run that was cut short, from the last block that it finished; begin anew where there is none]' \
      '--force[Replace the output if it exists]' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '--finetune[Train the kept weights afterwards with the masks held, as '\''sparsify finetune'\'' does; --method asp always does. Takes a folder]' \
      '--objective=[What is brought down\: the divergence from the dense model'\''s predictions, the negative log-likelihood of the text, or both]:objective:(distill cross-entropy both)' \
      '--data=[What is trained on\: '\''self'\'' for text that the model writes, a text file, or token ids as FILE.safetensors]:source:_files' \
      '--data-samples=[The number of windows of that text]:n: ' \
      '--data-length=[The number of tokens in each]:n: ' \
      '--epochs=[Train so many times over all windows]:n: ' \
      '--steps=[Train for so many steps instead]:n: ' \
      '--learning-rate=[The highest learning rate]:rate: ' \
      '--keep-dense=[Leave the most sensitive layers dense\: so many of them ('\''12'\''), a share of the weights ('\''10%'\'' or '\''0.1'\''), or all with more sensitivity than a number ('\''above\:0.01'\'')]:which: ' \
      '--target-speedup=[Prune only as much as makes the model so many times as fast as dense fp16 on the GPU, by the model of '\''sparsify plan'\''; layers that cost little for the time they save come first]:factor: ' \
      '--target-perplexity=[Prune as much as keeps the perplexity on --text at x or below. Where it is above after pruning, less is pruned, up to 4 times]:x: ' \
      '--sensitivity=[What '\''sparsify sensitivity'\'' has found, to choose layers by]:file:_files' \
      '--gpu=[The GPU whose time counts]:name:(a100-40 a100-80 a30 a10 l4 l40s rtx-3090 rtx-4090 rtx-5090 h100-sxm h100-pcie h200 b200)' \
      '--batch=[The number of sequences that it decodes at once]:n: ' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  finetune)
    _arguments -s -S \
      '--dense=[The dense original, to learn from\: needed for '\''distill'\'' and '\''both'\'']:model:_files' \
      '(-o --output)'{-o+,--output=}'[Where the trained model goes\: a folder for a folder, a file for a file]:path:_files' \
      '--data=[What is trained on\: '\''self'\'' for text that the dense model writes, a text file, or token ids as FILE.safetensors]:source:_files' \
      '--samples=[The number of windows of that text]:n: ' \
      '--length=[The number of tokens in each window]:n: ' \
      '--start-token=[Whether each window of a text, or a prompt, begins with the token that the tokenizer puts there\: '\''none'\'' for without]:rule:(auto none)' \
      '--scope=[Train the whole model from its predictions, or one block at a time from what the dense block gives\: cheaper, and in little memory]:scope:(all blocks)' \
      '--objective=[What is brought down\: the divergence from the dense model'\''s predictions, the negative log-likelihood of the text, or both]:objective:(distill cross-entropy both)' \
      '--epochs=[Train so many times over all windows]:n: ' \
      '--steps=[Train for so many steps instead]:n: ' \
      '--batch=[Windows that pass through the model together]:n: ' \
      '--accumulate=[Batches whose gradients make one step]:n: ' \
      '--learning-rate=[The highest learning rate]:rate: ' \
      '--schedule=[How the learning rate falls to 0]:shape:(constant linear cosine)' \
      '--warm-up=[Steps in which the learning rate rises to its highest]:n: ' \
      '--optimizer=[How weights follow from their gradients]:rule:(adamw sgd)' \
      '--weight-decay=[The share of a weight that goes with each whole learning rate]:share: ' \
      '--clip=[The norm that the gradient of a step has at most; 0 for no limit]:norm: ' \
      '--evaluate-every=[Steps between two measurements on held-out text]:n: ' \
      '--patience=[Stop after so many measurements without a new best]:n: ' \
      '--held-out=[Windows of the text that are set aside to measure on; the weights that measure best are kept. With 0 the last ones are]:n: ' \
      '--text=[Measure on this text instead]:file:_files' \
      '--windows=[Use the first n windows of --text only]:n: ' \
      '*--freeze=[Leave tensors whose names match as they are]:glob: ' \
      '--memory=[Keep to this much memory, such as 8G or 900M (a unit is 1024 of the one before). What does not fit waits in a scratch file beside the output. The result is the same]:size: ' \
      '--seed=[Where the random numbers start]:n: ' \
      '--shard-size=[Cut the weights of a folder into files of at most this size, such as 2G, with an index]:size: ' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--dry-run[Say what would be done and, by estimate, what it would take, and write nothing]' \
      '--resume[Go on with a training that was cut short, to the same bytes; begin anew where there is none]' \
      '--force[Replace the output if it exists]' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  quantize)
    _arguments -s -S \
      '(-o --output)'{-o+,--output=}'[Where the quantized model goes\: a folder for a folder, a file for a file]:path:_files' \
      '--shard-size=[Cut the weights of a folder into files of at most this size, such as 2G, with an index]:size: ' \
      '--group-size=[Give every n neighbouring weights of a row an INT8 scale of their own. transformers loads that, vLLM'\''s W8A8 does not]:n: ' \
      '*--only=[Take only the weights whose names match; '\''*'\'' stands for any text, '\''?'\'' for one character]:glob: ' \
      '*--skip=[Leave out the weights whose names match]:glob: ' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--dry-run[Say what would be done and, by estimate, what it would take, and write nothing]' \
      '--force[Replace the output if it exists]' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  compress)
    _arguments -s -S \
      '(-o --output)'{-o+,--output=}'[Where the compressed model goes\: a folder for a folder, a file for a file]:path:_files' \
      '--shard-size=[Cut the weights of a folder into files of at most this size, such as 2G, with an index]:size: ' \
      '*--only=[Take only the weights whose names match; '\''*'\'' stands for any text, '\''?'\'' for one character]:glob: ' \
      '*--skip=[Leave out the weights whose names match]:glob: ' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--force[Replace the output if it exists]' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  expand)
    _arguments -s -S \
      '(-o --output)'{-o+,--output=}'[Where the expanded model goes\: a folder for a folder, a file for a file]:path:_files' \
      '--shard-size=[Cut the weights of a folder into files of at most this size, such as 2G, with an index]:size: ' \
      '*--only=[Take only the weights whose names match; '\''*'\'' stands for any text, '\''?'\'' for one character]:glob: ' \
      '*--skip=[Leave out the weights whose names match]:glob: ' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--force[Replace the output if it exists]' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  export)
    _arguments -s -S \
      '--target=[Who is to load the model]:name:(transformers vllm vllm@0.18 tensorrt-llm pytorch cusparselt)' \
      '(-o --output)'{-o+,--output=}'[Where the exported model goes\: a folder for a folder, a file for a file]:path:_files' \
      '--shard-size=[Cut the weights of a folder into files of at most this size, such as 2G, with an index]:size: ' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--dry-run[Say what would be done and, by estimate, what it would take, and write nothing]' \
      '--force[Replace the output if it exists]' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  check)
    _arguments -s -S \
      '*--only=[Take only the weights whose names match; '\''*'\'' stands for any text, '\''?'\'' for one character]:glob: ' \
      '*--skip=[Leave out the weights whose names match]:glob: ' \
      '*--require=[Fail unless a weight'\''s name matches and all whose names do are 2\:4, whatever the manifest says]:glob: ' \
      '--finite=[Where NaN and infinity fail the check\: in all tensors, or in the weights that should be 2\:4]:tensors:(all weights)' \
      '--format=[How results are printed\: github means annotations of GitHub Actions, and a table in the summary of the step; json the same as --json]:format:(text github json)' \
      '--device=[Ask cuSPARSELt on a GPU, too, whether it takes each weight for 2\:4]:device:(cuda)' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '*:model:_files'
    ;;
  inspect)
    _arguments -s -S \
      '*--only=[Take only the weights whose names match; '\''*'\'' stands for any text, '\''?'\'' for one character]:glob: ' \
      '*--skip=[Leave out the weights whose names match]:glob: ' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  plan)
    _arguments -s -S \
      '--gpu=[The GPU that the model is to run on]:name:(a100-40 a100-80 a30 a10 l4 l40s rtx-3090 rtx-4090 rtx-5090 h100-sxm h100-pcie h200 b200)' \
      '--gpu-spec=[Another GPU\: '\''fp16=312,int8=624,bandwidth=2039,memory=80'\'' (dense rates in 10^12 operations a second, 10^9 bytes a second, 10^9 bytes), and '\''sparse=no'\'' for one without sparse tensor cores]:spec: ' \
      '--batch=[The numbers of sequences that run at once]:list: ' \
      '--dtype=[The numbers that the 2\:4 weights are kept in]:type:(fp16 int8)' \
      '--context=[The tokens of each sequence]:n: ' \
      '--sensitivity=[What '\''sparsify sensitivity'\'' has found for this model\: the advice then tells its own loss]:file:_files' \
      '--measured=[What '\''sparsify bench --device cuda --json'\'' has measured on that GPU\: linears take the times that are in it, and the roofline model'\''s where there are none]:file:_files' \
      '--report=[Write the numbers to this file, too\: as a page to look at where its name ends in .html or .htm, as JSON where it ends in .json]:file:_files' \
      '--json[Print one JSON object instead of text]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  sensitivity)
    _arguments -s -S \
      '--by=[What is changed together\: every linear layer by itself, those that read the same input, or all of a block]:unit:(block stage linear)' \
      '--fast[Follow each change to the end of its block only, and rank by the error there\: about as long as pruning takes]' \
      '--method=[How to choose the weights that stay]:method:(magnitude wanda sparsegpt admm)' \
      '--effort=[How long admm and --refit search]:effort:(fast standard best)' \
      '(--permute --no-permute)'{--permute,--no-permute}'[Put channels into an order in which 2\:4 keeps more. The model computes the same function]' \
      '--quantize=[Make the pruned weights INT8 with a scale for each output channel, in the layout of compressed-tensors]:type:(int8)' \
      '--order=[Whether weights are pruned and rounded at once, or one comes first]:order:(joint prune-first quantize-first)' \
      '--group-size=[Give every n neighbouring weights of a row an INT8 scale of their own. transformers loads that, vLLM'\''s W8A8 does not]:n: ' \
      '--quantize-only[Make each part INT8 and prune nothing]' \
      '--smooth=[Move outliers of the activations into the weights before pruning (SmoothQuant), folded into the norms]:alpha: ' \
      '--calibration=[What the model reads while its activations are measured\: '\''self'\'' for text that it writes itself, a text file, or token ids as FILE.safetensors]:source:_files' \
      '--samples=[The number of calibration sequences]:n: ' \
      '--length=[The number of tokens in each calibration sequence]:n: ' \
      '--start-token=[Whether each window of a text, or a prompt, begins with the token that the tokenizer puts there\: '\''none'\'' for without]:rule:(auto none)' \
      '--seed=[Where the random numbers start]:n: ' \
      '--text=[What the outputs are compared on, best unlike the calibration\: a text file, token ids as FILE.safetensors, or '\''self'\'' for text that the model writes itself]:source:_files' \
      '--windows=[The number of windows of that text]:n: ' \
      '--text-length=[The number of tokens in each window of that text]:n: ' \
      '*--only=[Take only the weights whose names match; '\''*'\'' stands for any text, '\''?'\'' for one character]:glob: ' \
      '*--skip=[Leave out the weights whose names match]:glob: ' \
      '(-o --output)'{-o+,--output=}'[Write the result to this file as JSON, for '\''sparsify prune --sensitivity'\''. Such a run can be resumed]:file:_files' \
      '--top=[How many parts the table shows]:n: ' \
      '--report=[Write the numbers to this file, too\: as a page to look at where its name ends in .html or .htm, as JSON where it ends in .json]:file:_files' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--dry-run[Say what would be done and, by estimate, what it would take, and write nothing]' \
      '--resume[Go on with a measurement that was cut short, from the last block that it finished; begin anew where there is none]' \
      '--force[Replace the output if it exists]' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  eval)
    _arguments -s -S \
      '--text=[The text to predict, in UTF-8]:file:_files' \
      '--tokens=[The token ids to predict, in a .safetensors file]:file:_files' \
      '--length=[The number of tokens in each window]:n: ' \
      '--windows=[Use the first n windows only]:n: ' \
      '--start-token=[Whether each window of a text, or a prompt, begins with the token that the tokenizer puts there\: '\''none'\'' for without]:rule:(auto none)' \
      '--activations=[The numbers in which activations reach INT8 weights\: '\''int8'\'' rounds them token by token and multiplies integers, as W8A8 inference does]:type:(float32 int8)' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  compare)
    _arguments -s -S \
      '--text=[The text to predict, in UTF-8]:file:_files' \
      '--tokens=[The token ids to predict, in a .safetensors file]:file:_files' \
      '--length=[The number of tokens in each window]:n: ' \
      '--windows=[Use the first n windows only]:n: ' \
      '--start-token=[Whether each window of a text, or a prompt, begins with the token that the tokenizer puts there\: '\''none'\'' for without]:rule:(auto none)' \
      '--activations=[The numbers in which activations reach INT8 weights\: '\''int8'\'' rounds them token by token and multiplies integers, as W8A8 inference does]:type:(float32 int8)' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:reference:_files' \
      '2:model:_files'
    ;;
  sweep)
    _arguments -s -S \
      '--text=[The text to predict, in UTF-8]:file:_files' \
      '--tokens=[The token ids to predict, in a .safetensors file]:file:_files' \
      '--methods=[The methods of pruning, with commas between them]:list: ' \
      '--quantize=[What is done to the numbers of the weights\: '\''none'\'' leaves their type, '\''int8'\'' makes them INT8]:list: ' \
      '--length=[The number of tokens in each window, of the text and of the calibration]:n: ' \
      '--windows=[Use the first n windows only]:n: ' \
      '--start-token=[Whether each window of a text, or a prompt, begins with the token that the tokenizer puts there\: '\''none'\'' for without]:rule:(auto none)' \
      '--calibration=[What the model reads while its activations are measured\: '\''self'\'' for text that it writes itself, a text file, or token ids as FILE.safetensors]:source:_files' \
      '--samples=[The number of calibration sequences]:n: ' \
      '--seed=[Where the random numbers start]:n: ' \
      '--effort=[How long admm and --refit search]:effort:(fast standard best)' \
      '--activations=[The numbers in which activations reach INT8 weights\: '\''int8'\'' rounds them token by token and multiplies integers, as W8A8 inference does]:type:(float32 int8)' \
      '(-o --output)'{-o+,--output=}'[The folder in which the models are made]:folder:_files' \
      '--keep[Leave the models there, each under its row'\''s name. Otherwise each is removed once it is measured]' \
      '--memory=[Keep to this much memory, such as 8G or 900M (a unit is 1024 of the one before). What does not fit waits in a scratch file beside the output. The result is the same]:size: ' \
      '--report=[Write the numbers to this file, too\: as a page to look at where its name ends in .html or .htm, as JSON where it ends in .json]:file:_files' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--dry-run[Say what would be done and, by estimate, what it would take, and write nothing]' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  generate)
    _arguments -s -S \
      '(-p --prompt)'{-p+,--prompt=}'[What the model goes on from]:text: ' \
      '--start-token=[Whether each window of a text, or a prompt, begins with the token that the tokenizer puts there\: '\''none'\'' for without]:rule:(auto none)' \
      '--tokens=[The number of tokens to write at most]:n: ' \
      '--temperature=[How daring the choice of each token is\: 0 takes the likeliest, 1 draws from the model'\''s own distribution]:t: ' \
      '--seed=[Where the random numbers start]:n: ' \
      '--activations=[The numbers in which activations reach INT8 weights\: '\''int8'\'' rounds them token by token and multiplies integers, as W8A8 inference does]:type:(float32 int8)' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  calibrate)
    _arguments -s -S \
      '(-o --output)'{-o+,--output=}'[The file that the statistics go to]:path:_files' \
      '--calibration=[What the model reads\: '\''self'\'' for text that it writes itself, a text file, or token ids as FILE.safetensors]:source:_files' \
      '--samples=[The number of calibration sequences]:n: ' \
      '--length=[The number of tokens in each calibration sequence]:n: ' \
      '--start-token=[Whether each window of a text, or a prompt, begins with the token that the tokenizer puts there\: '\''none'\'' for without]:rule:(auto none)' \
      '--seed=[Where the random numbers start]:n: ' \
      '--norms[Collect only the norms of the inputs, which are all that wanda needs; otherwise their grams, for any method]' \
      '--part=[Take one of N parts of the samples, counted from 0, or those from A to before B with '\''0..<16'\'' or 0\:16. '\''auto/N'\'' takes I from the environment of an array job, '\''auto'\'' N as well]:I/N: ' \
      '--blocks=[Look only at the blocks from A to before B; in quotes, or as A\:B. Those before A have to be run, too]:A..<B: ' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--force[Replace the output if it exists]' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:model:_files'
    ;;
  merge)
    _arguments -s -S \
      '--model=[The model that pruned parts were made from\: what they don'\''t hold is copied from it]:model:_files' \
      '(-o --output)'{-o+,--output=}'[Where the whole goes]:path:_files' \
      '--shard-size=[Cut the weights of a folder into files of at most this size, such as 2G, with an index]:size: ' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--force[Replace the output if it exists]' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '*:part:_files'
    ;;
  bench)
    _arguments -s -S \
      '--device=[Measure this processor'\''s kernels, or NVIDIA'\''s libraries with dense and 2\:4 weights on a GPU]:device:(cpu cuda)' \
      '--rows=[The rows of activations that are measured on a GPU]:list: ' \
      '--train=[Measure training steps of this 2\:4 model instead, with itself as the teacher]:model:_files' \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--json[Print one JSON object instead of text]' \
      '(-q --quiet)'{-q,--quiet}'[Show no progress]' \
      '(- *)'{-h,--help}'[Show this help]' \
      '*:case:(fma-peak read memcpy gemm int8-gemm pack rank-k cholesky solve sparsegpt weight-gradient attention attention-gradient decode-attention linear-row norms magnitude select check convert fingerprint silu assignment permutation linear)'
    ;;
  info)
    _arguments -s -S \
      '--threads=[The number of threads. Results don'\''t depend on it]:n: ' \
      '--json[Print one JSON object instead of text]' \
      '(- *)'{-h,--help}'[Show this help]'
    ;;
  completions)
    _arguments -s -S \
      '(- *)'{-h,--help}'[Show this help]' \
      '1:shell:(bash zsh fish)'
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
