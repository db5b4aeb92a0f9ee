#!/usr/bin/env python3
"""Make the tiny models of this folder and their gradients with torch: see README.md.

Needs torch, transformers and safetensors. Seeded: the same versions give the same files again.
"""
import json, os
import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

# transformers computes norms, angles and softmax in float32 whatever the model's type: here all of it is float64.
SINGLE = torch.float32
torch.float32 = torch.float = torch.float64
torch.Tensor.float = torch.Tensor.double

HERE = os.path.dirname(os.path.abspath(__file__))
VOCABULARY, WINDOWS, LENGTH = 20, 3, 7
COMMON = dict(vocab_size=VOCABULARY, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=4, head_dim=4, max_position_embeddings=16,
              rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=None)
KINDS = {
    "tied": LlamaConfig(num_key_value_heads=1, tie_word_embeddings=True, rope_parameters=dict(rope_type="default", rope_theta=100.0), **COMMON),
    "biases": LlamaConfig(num_key_value_heads=2, attention_bias=True, mlp_bias=True, tie_word_embeddings=False,
                          rope_parameters=dict(rope_type="default", rope_theta=30.0), **COMMON),
}


def make(config, seed):
    """Random values, exact in bfloat16, of a size at which attention is neither flat nor a choice of one token."""
    generator = torch.Generator().manual_seed(seed)
    model = LlamaForCausalLM._from_config(config, attn_implementation="eager").double().eval()
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        if name.endswith("bias"):
            noise *= 0.5
        elif "norm" in name:
            noise = 1 + 0.3 * noise
        elif "embed" not in name:
            noise *= (1.5 if "q_proj" in name or "k_proj" in name else 1.0) / parameter.shape[1] ** 0.5
        parameter.data = noise.to(torch.bfloat16).double()
    return model


def configuration(config):
    left_out = ("_", "transformers_version", "id2label", "label2id", "architectures", "dtype")
    result = json.loads(config.to_json_string(use_diff=False))
    return {key: value for key, value in result.items() if not key.startswith(left_out)} | {"dtype": "bfloat16"}


models = {name: make(config, 300 + number) for number, (name, config) in enumerate(KINDS.items())}
ids = torch.randint(0, VOCABULARY, (WINDOWS, LENGTH), generator=torch.Generator().manual_seed(310))
golden = {"ids": ids.flatten().tolist(), "length": LENGTH}

for (name, model), teacher in zip(models.items(), reversed(list(models.values()))):
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w") as file:
        file.write(json.dumps(configuration(model.config), indent=2) + "\n")
    stored = {key: value.to(torch.bfloat16).contiguous() for key, value in model.named_parameters()}
    save_file(stored, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})

    with torch.no_grad():
        expected = teacher(ids).logits.log_softmax(-1)
    gradients, golden[name] = {}, {}
    for objective in ("cross-entropy", "distill"):
        model.zero_grad()
        logits = model(ids).logits.log_softmax(-1)
        if objective == "distill":
            # The mean over all tokens of KL(teacher || model).
            loss = torch.nn.functional.kl_div(logits.flatten(0, 1), expected.flatten(0, 1), log_target=True, reduction="batchmean")
        else:
            loss = torch.nn.functional.nll_loss(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
        loss.backward()
        golden[name][objective] = loss.item()
        gradients |= {f"{objective}/{key}": value.grad.to(SINGLE) for key, value in model.named_parameters()}
    save_file(gradients, os.path.join(folder, "gradients.safetensors"))
    print(name, golden[name], {file: os.path.getsize(os.path.join(folder, file)) for file in sorted(os.listdir(folder))})

with open(os.path.join(HERE, "golden.json"), "w") as file:
    file.write(json.dumps(golden) + "\n")
