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
    _sparsify_words 'prune finetune quantize compress expand export check inspect plan sensitivity eval compare sweep generate calibrate merge bench info completions help --version -h --help'
    return
  fi
  case ${COMP_WORDS[1]} in
  prune)
    case $previous in
    --method)
      _sparsify_words 'magnitude wanda sparsegpt admm asp'
      return
      ;;
    --effort)
      _sparsify_words 'fast standard best'
      return
      ;;
    -o | --output | --calibration | --dense | --statistics | --text | --report | --data | --sensitivity)
      _sparsify_files
      return
      ;;
    --samples | --length | --seed | --group-size | --smooth | --reconstruct | --blocks | --tensors | --shard-size | --only | --skip | --memory | --threads | --windows | --data-samples | --data-length | --epochs | --steps | --learning-rate | --keep-dense | --target-speedup | --target-perplexity | --batch)
      :
      return
      ;;
    --start-token)
      _sparsify_words 'auto none'
      return
      ;;
    --quantize)
      _sparsify_words 'int8'
      return
      ;;
    --order)
      _sparsify_words 'joint prune-first quantize-first'
      return
      ;;
    --objective)
      _sparsify_words 'distill cross-entropy both'
      return
      ;;
    --gpu)
      _sparsify_words 'a100-40 a100-80 a30 a10 l4 l40s rtx-3090 rtx-4090 rtx-5090 h100-sxm h100-pcie h200 b200'
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--method --effort -o --output --calibration --samples --length --start-token --seed --permute --no-permute --quantize --order --group-size --smooth --refit --dense --reconstruct --statistics --blocks --tensors --shard-size --only --skip --memory --threads --text --windows --report --strict --dry-run --resume --force --json -q --quiet --finetune --objective --data --data-samples --data-length --epochs --steps --learning-rate --keep-dense --target-speedup --target-perplexity --sensitivity --gpu --batch -h --help'
    else
      _sparsify_files
    fi
    ;;
  finetune)
    case $previous in
    --dense | -o | --output | --data | --text)
      _sparsify_files
      return
      ;;
    --samples | --length | --epochs | --steps | --batch | --accumulate | --learning-rate | --warm-up | --weight-decay | --clip | --evaluate-every | --patience | --held-out | --windows | --freeze | --memory | --seed | --shard-size | --threads)
      :
      return
      ;;
    --start-token)
      _sparsify_words 'auto none'
      return
      ;;
    --scope)
      _sparsify_words 'all blocks'
      return
      ;;
    --objective)
      _sparsify_words 'distill cross-entropy both'
      return
      ;;
    --schedule)
      _sparsify_words 'constant linear cosine'
      return
      ;;
    --optimizer)
      _sparsify_words 'adamw sgd'
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--dense -o --output --data --samples --length --start-token --scope --objective --epochs --steps --batch --accumulate --learning-rate --schedule --warm-up --optimizer --weight-decay --clip --evaluate-every --patience --held-out --text --windows --freeze --memory --seed --shard-size --threads --dry-run --resume --force --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  quantize)
    case $previous in
    -o | --output)
      _sparsify_files
      return
      ;;
    --shard-size | --group-size | --only | --skip | --threads)
      :
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '-o --output --shard-size --group-size --only --skip --threads --dry-run --force --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  compress)
    case $previous in
    -o | --output)
      _sparsify_files
      return
      ;;
    --shard-size | --only | --skip | --threads)
      :
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '-o --output --shard-size --only --skip --threads --force --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  expand)
    case $previous in
    -o | --output)
      _sparsify_files
      return
      ;;
    --shard-size | --only | --skip | --threads)
      :
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '-o --output --shard-size --only --skip --threads --force --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  export)
    case $previous in
    --target)
      _sparsify_words 'transformers vllm vllm@0.18 tensorrt-llm pytorch cusparselt'
      return
      ;;
    -o | --output)
      _sparsify_files
      return
      ;;
    --shard-size | --threads)
      :
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--target -o --output --shard-size --threads --dry-run --force --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  check)
    case $previous in
    --only | --skip | --require | --threads)
      :
      return
      ;;
    --finite)
      _sparsify_words 'all weights'
      return
      ;;
    --format)
      _sparsify_words 'text github json'
      return
      ;;
    --device)
      _sparsify_words 'cuda'
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--only --skip --require --finite --format --device --threads --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  inspect)
    case $previous in
    --only | --skip | --threads)
      :
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--only --skip --threads --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  plan)
    case $previous in
    --gpu)
      _sparsify_words 'a100-40 a100-80 a30 a10 l4 l40s rtx-3090 rtx-4090 rtx-5090 h100-sxm h100-pcie h200 b200'
      return
      ;;
    --gpu-spec | --batch | --context)
      :
      return
      ;;
    --dtype)
      _sparsify_words 'fp16 int8'
      return
      ;;
    --sensitivity | --measured | --report)
      _sparsify_files
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--gpu --gpu-spec --batch --dtype --context --sensitivity --measured --report --json -h --help'
    else
      _sparsify_files
    fi
    ;;
  sensitivity)
    case $previous in
    --by)
      _sparsify_words 'block stage linear'
      return
      ;;
    --method)
      _sparsify_words 'magnitude wanda sparsegpt admm'
      return
      ;;
    --effort)
      _sparsify_words 'fast standard best'
      return
      ;;
    --quantize)
      _sparsify_words 'int8'
      return
      ;;
    --order)
      _sparsify_words 'joint prune-first quantize-first'
      return
      ;;
    --group-size | --smooth | --samples | --length | --seed | --windows | --text-length | --only | --skip | --top | --threads)
      :
      return
      ;;
    --calibration | --text | -o | --output | --report)
      _sparsify_files
      return
      ;;
    --start-token)
      _sparsify_words 'auto none'
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--by --fast --method --effort --permute --no-permute --quantize --order --group-size --quantize-only --smooth --calibration --samples --length --start-token --seed --text --windows --text-length --only --skip -o --output --top --report --threads --dry-run --resume --force --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  eval)
    case $previous in
    --text | --tokens)
      _sparsify_files
      return
      ;;
    --length | --windows | --threads)
      :
      return
      ;;
    --start-token)
      _sparsify_words 'auto none'
      return
      ;;
    --activations)
      _sparsify_words 'float32 int8'
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--text --tokens --length --windows --start-token --activations --threads --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  compare)
    case $previous in
    --text | --tokens)
      _sparsify_files
      return
      ;;
    --length | --windows | --threads)
      :
      return
      ;;
    --start-token)
      _sparsify_words 'auto none'
      return
      ;;
    --activations)
      _sparsify_words 'float32 int8'
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--text --tokens --length --windows --start-token --activations --threads --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  sweep)
    case $previous in
    --text | --tokens | --calibration | -o | --output | --report)
      _sparsify_files
      return
      ;;
    --methods | --quantize | --length | --windows | --samples | --seed | --memory | --threads)
      :
      return
      ;;
    --start-token)
      _sparsify_words 'auto none'
      return
      ;;
    --effort)
      _sparsify_words 'fast standard best'
      return
      ;;
    --activations)
      _sparsify_words 'float32 int8'
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--text --tokens --methods --quantize --length --windows --start-token --calibration --samples --seed --effort --activations -o --output --keep --memory --report --threads --dry-run --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  generate)
    case $previous in
    -p | --prompt | --tokens | --temperature | --seed | --threads)
      :
      return
      ;;
    --start-token)
      _sparsify_words 'auto none'
      return
      ;;
    --activations)
      _sparsify_words 'float32 int8'
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '-p --prompt --start-token --tokens --temperature --seed --activations --threads --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  calibrate)
    case $previous in
    -o | --output | --calibration)
      _sparsify_files
      return
      ;;
    --samples | --length | --seed | --part | --blocks | --threads)
      :
      return
      ;;
    --start-token)
      _sparsify_words 'auto none'
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '-o --output --calibration --samples --length --start-token --seed --norms --part --blocks --threads --force --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  merge)
    case $previous in
    --model | -o | --output)
      _sparsify_files
      return
      ;;
    --shard-size | --threads)
      :
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--model -o --output --shard-size --threads --force --json -q --quiet -h --help'
    else
      _sparsify_files
    fi
    ;;
  bench)
    case $previous in
    --device)
      _sparsify_words 'cpu cuda'
      return
      ;;
    --rows | --threads)
      :
      return
      ;;
    --train)
      _sparsify_files
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--device --rows --train --threads --json -q --quiet -h --help'
    else
      _sparsify_words 'fma-peak read memcpy gemm int8-gemm pack rank-k cholesky solve sparsegpt weight-gradient attention attention-gradient decode-attention linear-row norms magnitude select check convert fingerprint silu assignment permutation linear'
    fi
    ;;
  info)
    case $previous in
    --threads)
      :
      return
      ;;
    esac
    if [[ $word == -* ]]; then
      _sparsify_words '--threads --json -h --help'
    else
      :
    fi
    ;;
  completions)
    if [[ $word == -* ]]; then
      _sparsify_words '-h --help'
    else
      _sparsify_words 'bash zsh fish'
    fi
    ;;
  help)
    [[ $COMP_CWORD -eq 2 ]] && _sparsify_words 'prune finetune quantize compress expand export check inspect plan sensitivity eval compare sweep generate calibrate merge bench info completions'
    ;;
  esac
}

complete -F _sparsify sparsify
