"""The bundled model's shape, and a forward pass for training that is quick on a CPU.

The parameters live in transformers' own MixtralForCausalLM, so save_pretrained writes an ordinary
directory; `forward` below computes the same function as the model's own forward (train.py --check
compares them) with tokens sorted by expert, one matrix product per expert and projection.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from transformers import MixtralConfig, MixtralForCausalLM

NUM_EXPERTS = 8
EXPERTS_PER_TOKEN = 2


def new_config(vocab_size: int, hidden: int, layers: int, intermediate: int) -> MixtralConfig:
    """A Mixtral of the given size: heads 32 wide, two key/value heads."""
    return MixtralConfig(
        vocab_size=vocab_size,
        hidden_size=hidden,
        intermediate_size=intermediate,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 32,
        num_key_value_heads=2,
        head_dim=32,
        num_local_experts=NUM_EXPERTS,
        num_experts_per_tok=EXPERTS_PER_TOKEN,
        max_position_embeddings=2048,
        rope_theta=10000.0,
        rms_norm_eps=1e-5,
        sliding_window=None,
        tie_word_embeddings=False,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=None,
    )


def new_model(config: MixtralConfig) -> MixtralForCausalLM:
    model = MixtralForCausalLM(config).float()
    with torch.no_grad():
        depth_scale = (2 * config.num_hidden_layers) ** -0.5
        for name, parameter in model.named_parameters():
            if parameter.dim() < 2:
                continue
            parameter.normal_(0.0, parameter.shape[-1] ** -0.5 * 0.7)
            if "embed_tokens" in name:
                parameter.normal_(0.0, 0.3)
            elif "o_proj" in name or "down_proj" in name:
                parameter.mul_(depth_scale)
    return model


def rope_tables(config: MixtralConfig, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """cos and sin, each [length, head_dim], halves laid out as transformers' rotate_half has them."""
    theta = config.rope_parameters["rope_theta"]
    steps = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
    angles = torch.outer(torch.arange(length, dtype=torch.float32), theta**-steps)
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


def attend(attention, x, cos, sin, mask, config):
    rows, length, _ = x.shape
    heads, kv_heads, width = (
        config.num_attention_heads,
        config.num_key_value_heads,
        config.head_dim,
    )
    q = attention.q_proj(x).view(rows, length, heads, width).transpose(1, 2)
    k = attention.k_proj(x).view(rows, length, kv_heads, width).transpose(1, 2)
    v = attention.v_proj(x).view(rows, length, kv_heads, width).transpose(1, 2)
    q, k = rotate(q, cos, sin), rotate(k, cos, sin)
    k = k.repeat_interleave(heads // kv_heads, dim=1)
    v = v.repeat_interleave(heads // kv_heads, dim=1)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
    return attention.o_proj(out.transpose(1, 2).reshape(rows, length, heads * width))


def mix_experts(block, x: torch.Tensor, counted: torch.Tensor | None):
    """The sparse feed-forward of [T, H]; also the balance loss, the z-loss and each expert's share.

    `counted` [T] marks the tokens that are text rather than padding; only they enter the losses.
    """
    logits = F.linear(x, block.gate.weight)
    probabilities = logits.softmax(dim=-1)
    weights, chosen = probabilities.topk(EXPERTS_PER_TOKEN, dim=-1)
    weights = weights / weights.sum(dim=-1, keepdim=True)

    order = chosen.flatten().argsort(stable=True)
    tokens = order // EXPERTS_PER_TOKEN
    counts = torch.bincount(chosen.flatten(), minlength=NUM_EXPERTS).tolist()
    # unbind, not indexing: the gradient of an index is a whole tensor of zeros for every expert.
    gate_up_proj, down_proj = (
        block.experts.gate_up_proj.unbind(0),
        block.experts.down_proj.unbind(0),
    )
    outputs = []
    for expert, rows in enumerate(x[tokens].split(counts)):
        gate, up = F.linear(rows, gate_up_proj[expert]).chunk(2, dim=-1)
        outputs.append(F.linear(F.silu(gate) * up, down_proj[expert]))
    weighted = torch.cat(outputs) * weights.flatten()[order].unsqueeze(-1)
    mixed = torch.zeros_like(x).index_add(0, tokens, weighted)

    if counted is not None:
        chosen, probabilities, logits = chosen[counted], probabilities[counted], logits[counted]
    share = torch.bincount(chosen.flatten(), minlength=NUM_EXPERTS) / chosen.numel()
    balance = NUM_EXPERTS * (share * probabilities.mean(dim=0)).sum()
    z = logits.logsumexp(dim=-1).square().mean()
    return mixed, balance, z, share


def norm(layer, x: torch.Tensor, eps: float) -> torch.Tensor:
    return layer.weight * (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps))


def forward(model: MixtralForCausalLM, ids, mask=None, counted=None):
    """The last hidden state [B, T, H], normed; the layers' mean balance and z-losses; shares [L, E].

    ids [B, T]; mask [B, 1, T, T] true where a position may attend (None: causal); counted [B * T].
    The logits are lm_head of the hidden state, which a caller takes only where it needs them.
    """
    config = model.config
    eps = config.rms_norm_eps
    cos, sin = rope_tables(config, ids.shape[1])
    x = model.model.embed_tokens(ids)
    balances, zs, shares = [], [], []
    for layer in model.model.layers:
        attended = norm(layer.input_layernorm, x, eps)
        x = x + attend(layer.self_attn, attended, cos, sin, mask, config)
        flat = norm(layer.post_attention_layernorm, x, eps).flatten(0, 1)
        mixed, balance, z, share = mix_experts(layer.mlp, flat, counted)
        x = x + mixed.view_as(x)
        balances.append(balance)
        zs.append(z)
        shares.append(share)
    last = norm(model.model.norm, x, eps)
    return last, torch.stack(balances).mean(), torch.stack(zs).mean(), torch.stack(shares)
