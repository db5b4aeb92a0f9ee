#!/usr/bin/env python3
"""Make the tiny Llama of this folder: write the text (text.py), train a tokenizer and the model on it, measure golden.json.

    make.py            everything; about ten minutes on one core
    make.py golden     only measure the stored weights again
    make.py check      compare the stored folder with the `transformers` library

Needs torch, tokenizers, safetensors and numpy; `check` needs transformers as well. One thread and fixed seeds: on one kind
of processor and one version of torch the same bytes come out again.
"""
import json, math, os, re, sys, time
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn.functional import cross_entropy, linear, scaled_dot_product_attention, silu
import text

HERE = os.path.dirname(os.path.abspath(__file__))
END = "<|endoftext|>"                                       # before every page: it begins and ends a text
WIDTH, LAYERS, HEADS, KV_HEADS, HEAD, MLP, VOCABULARY, CONTEXT, EPSILON, THETA = 128, 4, 4, 2, 32, 352, 512, 256, 1e-5, 10000.0
TRAINING_CHARACTERS, STEPS, BATCH, PEAK_RATE, WARMUP, DECAY, SPREAD = 12_000_000, 1000, 12, 5e-3, 60, 0.1, 0.8
WINDOW, CALIBRATION_WINDOWS = 128, 16                       # of golden.json
SEEDS = {"training": 1, "heldout": 2, "calibration": 3, "weights": 4}
STAGES = {"self_attn": (("q_proj", "k_proj", "v_proj"), ("o_proj",)), "mlp": (("gate_proj", "up_proj"), ("down_proj",))}
SENTENCE = "Ada's dog barks 12 times; \"Hush!\" says Émile, 3 x 4 = 12.\n\n\tThe end…"
PROMPT = "Snow lay on the roofs. Mira put on thick gloves and went to the market."


def file(name):
    return os.path.join(HERE, name)


def write_json(name, value, indent=2):
    lines = json.dumps(value, indent=indent, ensure_ascii=False)
    lines = re.sub(r"\[[-+\d.e,\s]+\]", lambda numbers: " ".join(numbers[0].split()), lines)     # numbers on one line
    with open(file(name), "w", encoding="utf-8") as f:
        f.write(lines + "\n")


# ---- text and tokenizer ----------------------------------------------------------------------------------------------
def train_tokenizer(pages):
    """Byte-level BPE in SmolLM2's style: every digit alone, then GPT-2's split into words."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(pages, trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=[END], show_progress=False,
                                                     initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    t.save(file("tokenizer.json"))
    write_json("tokenizer_config.json", {
        "add_prefix_space": False, "added_tokens_decoder": {"0": {"content": END, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}},
        "bos_token": END, "eos_token": END, "unk_token": END, "clean_up_tokenization_spaces": False, "model_max_length": CONTEXT, "tokenizer_class": "PreTrainedTokenizerFast"})


def write_configs():
    write_json("config.json", {
        "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 0, "eos_token_id": 0, "head_dim": HEAD, "hidden_act": "silu",
        "hidden_size": WIDTH, "initializer_range": 0.02, "intermediate_size": MLP, "max_position_embeddings": CONTEXT, "mlp_bias": False, "model_type": "llama",
        "num_attention_heads": HEADS, "num_hidden_layers": LAYERS, "num_key_value_heads": KV_HEADS, "pretraining_tp": 1, "rms_norm_eps": EPSILON, "rope_scaling": None,
        "rope_theta": THETA, "tie_word_embeddings": True, "torch_dtype": "bfloat16", "use_cache": True, "vocab_size": VOCABULARY})
    write_json("generation_config.json", {"_from_model_config": True, "bos_token_id": 0, "eos_token_id": 0})


def encode(string):
    return Tokenizer.from_file(file("tokenizer.json")).encode(string).ids


# ---- the decoder -----------------------------------------------------------------------------------------------------
def new_weights():
    """Hugging Face names, outputs x inputs. What writes to the residual stream starts smaller.

    Large models come to have input channels of very different size; one trained for minutes does not get there, and then
    magnitude and Wanda choose much the same weights. So the gains before each linear start spread out (log-normal).
    """
    torch.manual_seed(SEEDS["weights"])

    def spread(n):
        return torch.randn(n).mul(SPREAD).exp()

    w = {"model.embed_tokens.weight": torch.randn(VOCABULARY, WIDTH) * 0.05, "model.norm.weight": torch.ones(WIDTH)}
    shapes = {"q_proj": (HEADS * HEAD, WIDTH), "k_proj": (KV_HEADS * HEAD, WIDTH), "v_proj": (KV_HEADS * HEAD, WIDTH), "o_proj": (WIDTH, HEADS * HEAD),
              "gate_proj": (MLP, WIDTH), "up_proj": (MLP, WIDTH), "down_proj": (WIDTH, MLP)}
    for i in range(LAYERS):
        for part, stages in STAGES.items():
            for name in sum(stages, ()):
                small = 1 / math.sqrt(2 * LAYERS) if name in ("o_proj", "down_proj") else 1
                w[f"model.layers.{i}.{part}.{name}.weight"] = torch.randn(shapes[name]) * small / math.sqrt(shapes[name][1])
        for name in ("input_layernorm", "post_attention_layernorm"):
            w[f"model.layers.{i}.{name}.weight"] = spread(WIDTH)
        for name in ("self_attn.v_proj", "mlp.up_proj"):
            w[f"model.layers.{i}.{name}.weight"] *= spread(shapes[name.split(".")[1]][0])[:, None]
    return w


def norm(x, weight):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPSILON) * weight


def rotate(x):                                              # [batch, heads, tokens, HEAD]
    f = torch.outer(torch.arange(x.shape[2], dtype=torch.float64), THETA ** (-torch.arange(0, HEAD, 2, dtype=torch.float64) / HEAD))
    cos, sin = torch.cat([f, f], 1).cos().float(), torch.cat([f, f], 1).sin().float()
    return x * cos + torch.cat([-x[..., HEAD // 2:], x[..., :HEAD // 2]], -1) * sin


def logits(w, ids, visit=None):
    """[batch, tokens] -> [batch, tokens, vocabulary]. visit(names, input) comes before each stage and may change its weights."""
    def stage(i, part, number, y):
        names = [f"model.layers.{i}.{part}.{name}.weight" for name in STAGES[part][number]]
        if visit:
            visit(names, y)
        return [linear(y, w[name]) for name in names]

    x = w["model.embed_tokens.weight"][ids]
    for i in range(LAYERS):
        y = norm(x, w[f"model.layers.{i}.input_layernorm.weight"])
        q, k, v = (z.unflatten(-1, (-1, HEAD)).transpose(1, 2) for z in stage(i, "self_attn", 0, y))
        q, k = rotate(q), rotate(k)
        k, v = (z.repeat_interleave(HEADS // KV_HEADS, 1) for z in (k, v))
        a = scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        x = x + stage(i, "self_attn", 1, a)[0]
        gate, up = stage(i, "mlp", 0, norm(x, w[f"model.layers.{i}.post_attention_layernorm.weight"]))
        x = x + stage(i, "mlp", 1, silu(gate) * up)[0]
    return linear(norm(x, w["model.norm.weight"]), w["model.embed_tokens.weight"])


# ---- training --------------------------------------------------------------------------------------------------------
def train(ids):
    """AdamW with a warm-up and a cosine; each step takes BATCH windows of CONTEXT + 1 tokens from anywhere in the text."""
    w = new_weights()
    for p in w.values():
        p.requires_grad_()
    matrices, rest = ([p for n, p in w.items() if ("_proj" in n) == wanted] for wanted in (True, False))
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": DECAY}, {"params": rest, "weight_decay": 0.0}], lr=PEAK_RATE, betas=(0.9, 0.95))
    chance, begin = torch.Generator().manual_seed(SEEDS["training"]), time.time()
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * min((step + 1) / WARMUP, 0.5 + 0.5 * math.cos(math.pi * step / STEPS))
        starts = torch.randint(len(ids) - CONTEXT - 1, (BATCH,), generator=chance)
        batch = torch.stack([ids[s:s + CONTEXT + 1] for s in starts.tolist()])
        loss = cross_entropy(logits(w, batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(w.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % 50 == 0 or step == STEPS - 1:
            print(f"step {step:5d}  loss {loss.item():.4f}  {time.time() - begin:.0f} s", flush=True)
    save_file({n: p.detach().bfloat16() for n, p in w.items()}, file("model.safetensors"), metadata={"format": "pt"})


# ---- measuring -------------------------------------------------------------------------------------------------------
def stored_weights():
    return {n: p.float() for n, p in load_file(file("model.safetensors")).items()}


def windows(name, limit=None):
    with open(file(name), encoding="utf-8", newline="") as f:
        ids = encode(f.read())
    return torch.tensor(ids[:len(ids) // WINDOW * WINDOW]).view(-1, WINDOW)[:limit]


def perplexity(w):
    """Windows that do not overlap, the tail dropped, no token added; mean over the tokens 2... of each window, in float64."""
    ids, total = windows("heldout.txt"), 0.0
    for batch in ids.split(32):
        total += cross_entropy(logits(w, batch)[:, :-1].flatten(0, 1).double(), batch[:, 1:].flatten(), reduction="sum").item()
    tokens = len(ids) * (WINDOW - 1)
    return {"length": WINDOW, "windows": len(ids), "tokens": tokens, "nll": total / tokens, "perplexity": math.exp(total / tokens)}


def keep_two_of_four(score):
    """True for the two highest of each four along a row; of equal scores the lower index is kept."""
    first = score.unflatten(1, (-1, 4)).sort(dim=2, descending=True, stable=True)[1][:, :, :2]
    return torch.zeros(score.numel() // 4, 4, dtype=torch.bool).scatter_(1, first.flatten(0, 1), True).view(score.shape)


def prune(method):
    """All seven linears of each block, in stage order: a stage's input comes from the stages pruned before it."""
    w, layers = stored_weights(), []

    def visit(names, y):
        y = y.flatten(0, 1)
        norms = y.double().pow(2).sum(0).sqrt().float() if method == "wanda" else torch.ones(y.shape[1])
        for name in names:
            dense, mask = w[name], keep_two_of_four(w[name].abs() * norms)
            w[name] = dense * mask
            layers.append({"name": name, "relativeError": (linear(y, dense - w[name]).double().norm() / linear(y, dense).double().norm()).item(),
                           "keptColumnSum": int((mask * torch.arange(mask.shape[1])).sum()), "keptMass": w[name].double().abs().sum().item()})

    logits(w, windows("calibration.txt", CALIBRATION_WINDOWS), visit)
    return {**perplexity(w), "meanRelativeError": sum(l["relativeError"] for l in layers) / len(layers), "linears": layers}


def greedy(w, ids, count):
    """The continuation, and by how much each choice beat the next: a test may only rely on choices that are not close."""
    ids, margin = list(ids), math.inf
    for _ in range(count):
        top = logits(w, torch.tensor([ids]))[0, -1].topk(2)
        ids.append(top.indices[0].item())
        margin = min(margin, (top.values[0] - top.values[1]).item())
    return ids[-count:], margin


@torch.no_grad()
def golden():
    w, prompt, tokenizer = stored_weights(), encode(PROMPT), Tokenizer.from_file(file("tokenizer.json"))
    first = logits(w, torch.tensor([prompt[:16]]))[0]
    continuation, margin = greedy(w, prompt, 32)
    result = {"torch": torch.__version__, "perplexity": perplexity(w), "magnitude": prune("magnitude"), "wanda": prune("wanda"),
              "calibration": {"windows": CALIBRATION_WINDOWS, "length": WINDOW}, "encoding": {"text": SENTENCE, "ids": encode(SENTENCE)},
              "logits": {"ids": prompt[:16], "argmax": first.argmax(1).tolist(), "max": first.max(1).values.tolist(), "last": first[-1].tolist()},
              "greedy": {"prompt": PROMPT, "promptIds": prompt, "ids": continuation, "text": tokenizer.decode(continuation), "smallestMargin": margin}}
    assert tokenizer.decode(encode(SENTENCE)) == SENTENCE
    write_json("golden.json", result, indent=1)
    for name in ("perplexity", "wanda", "magnitude"):
        print(name, {k: v for k, v in result[name].items() if k != "linears"})
    print(PROMPT + result["greedy"]["text"], f"[smallest margin {margin:.3f}]")


@torch.no_grad()
def check():
    from transformers import AutoTokenizer, LlamaForCausalLM
    ids = windows("heldout.txt", 4)
    theirs = LlamaForCausalLM.from_pretrained(HERE, dtype=torch.float32)(ids).logits
    print("largest difference of logits", (logits(stored_weights(), ids) - theirs).abs().max().item())
    t = AutoTokenizer.from_pretrained(HERE)
    print("same token ids", t(SENTENCE)["input_ids"] == encode(SENTENCE), "begin and end", t.bos_token_id, t.eos_token_id)


def make():
    for name in ("heldout", "calibration"):
        with open(file(name + ".txt"), "w", encoding="utf-8", newline="") as f:
            f.write("".join(text.pages(SEEDS[name], 80_000)))
    pages = list(text.pages(SEEDS["training"], TRAINING_CHARACTERS))
    train_tokenizer(pages[:len(pages) // 8])
    write_configs()
    train(torch.tensor(encode("".join(END + page for page in pages))))
    golden()


torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
{"golden": golden, "check": check}.get(sys.argv[1] if len(sys.argv) > 1 else "", make)()
