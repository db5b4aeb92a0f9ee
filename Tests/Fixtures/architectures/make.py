#!/usr/bin/env python3
"""Make the tiny random checkpoints of this folder and what `transformers` computes from them: see README.md.

Needs torch, transformers and safetensors. Seeded: the same versions give the same files again.
"""
import json, os, re
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config

HERE = os.path.dirname(os.path.abspath(__file__))
VOCABULARY = 64
COMMON = dict(vocab_size=VOCABULARY, num_hidden_layers=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=None)

KINDS = {
    # head_dim does not divide the width; biases everywhere; its own output projection
    "llama-biases": dict(
        config=LlamaConfig(hidden_size=36, intermediate_size=48, num_attention_heads=4, num_key_value_heads=2, head_dim=10, attention_bias=True, mlp_bias=True,
                           tie_word_embeddings=False, rms_norm_eps=1e-5, rope_parameters=dict(rope_type="default", rope_theta=300.0), **COMMON),
        dtype=torch.bfloat16, tokens=32, old=False),
    # Llama 3.1's rope scaling: of the four frequencies one is kept, one blended, two divided
    "llama-rope-scaling": dict(
        config=LlamaConfig(hidden_size=32, intermediate_size=36, num_attention_heads=4, num_key_value_heads=1, tie_word_embeddings=True, rms_norm_eps=1e-5,
                           rope_parameters=dict(rope_type="llama3", rope_theta=100.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                                original_max_position_embeddings=32), **COMMON),
        dtype=torch.float32, tokens=40, old=True),
    "mistral": dict(
        config=MistralConfig(hidden_size=32, intermediate_size=44, num_attention_heads=4, num_key_value_heads=2, head_dim=16, tie_word_embeddings=False, rms_norm_eps=1e-5,
                             sliding_window=None, rope_parameters=dict(rope_type="default", rope_theta=5000.0), **COMMON),
        dtype=torch.float16, tokens=32, old=False),
    # biases of q, k and v that the configuration does not mention
    "qwen2": dict(
        config=Qwen2Config(hidden_size=48, intermediate_size=40, num_attention_heads=6, num_key_value_heads=2, tie_word_embeddings=True, rms_norm_eps=1e-6,
                           rope_parameters=dict(rope_type="default", rope_theta=1e6), **COMMON),
        dtype=torch.bfloat16, tokens=32, old=True),
}


def write_json(path, value):
    text = json.dumps(value, indent=2)
    text = re.sub(r"\[[-+\d.e,\s]+\]", lambda numbers: " ".join(numbers[0].split()), text)   # numbers on one line
    with open(path, "w", encoding="utf-8") as f:
        f.write(text + "\n")


def fill(model, generator):
    """Random values of a size at which attention is neither flat nor a choice of one token, and every bias and gain matters."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if name.endswith("bias"):
            parameter.data = 0.5 * noise
        elif "norm" in name:
            parameter.data = 1 + 0.3 * noise
        elif "embed" in name:
            parameter.data = noise
        else:
            scale = 1.5 if "q_proj" in name or "k_proj" in name else 1.0
            parameter.data = noise * scale / parameter.shape[1] ** 0.5


def configuration(kind):
    """config.json as transformers writes it, or with the rotary embedding as it wrote that before version 5."""
    result = json.loads(kind["config"].to_json_string(use_diff=False))
    result = {k: v for k, v in result.items() if not k.startswith("_") and k not in ("transformers_version", "id2label", "label2id")}
    result["architectures"] = [{"llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM", "qwen2": "Qwen2ForCausalLM"}[result["model_type"]]]
    result["dtype"] = str(kind["dtype"]).removeprefix("torch.")
    if kind["old"]:
        rope = result.pop("rope_parameters")
        result["rope_theta"] = rope.pop("rope_theta")
        result["rope_scaling"] = None if rope["rope_type"] == "default" else rope
        result["torch_dtype"] = result.pop("dtype")
    return result


for number, (name, kind) in enumerate(KINDS.items()):
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    generator = torch.Generator().manual_seed(100 + number)
    model = AutoModelForCausalLM.from_config(kind["config"])
    fill(model, generator)
    tied = kind["config"].tie_word_embeddings
    tensors = {k: v.to(kind["dtype"]).contiguous() for k, v in model.state_dict().items() if not (tied and k == "lm_head.weight")}
    save_file(tensors, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    write_json(os.path.join(folder, "config.json"), configuration(kind))

    # From the stored folder: what the file says is what is computed, in float32.
    stored = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ids = torch.randint(0, VOCABULARY, (kind["tokens"],), generator=generator)
    with torch.no_grad():
        logits = stored(ids[None]).logits[0]
    write_json(os.path.join(folder, "golden.json"), {
        "ids": ids.tolist(), "logits": [[float(f"{x:.7g}") for x in row] for row in logits.tolist()]})
    sizes = {f: os.path.getsize(os.path.join(folder, f)) for f in sorted(os.listdir(folder))}
    print(name, f"logits {logits.min():.2f} … {logits.max():.2f}", sizes)
