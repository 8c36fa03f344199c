"""What is recorded of a model: the logits of prompts, and greedy text with how sure it was."""

import numpy as np
import torch
from transformers import MixtralForCausalLM

from models import VOCAB_SIZE, GoldenModel

GREEDY_TOKENS = 64
BOS, EOS = 1, 2
CANDIDATES = 256
# Random models may fall into a loop; one that repeats a token over and over would hide most bugs.
DISTINCT_MIN = 20


@torch.no_grad()
def prompt_logits(model: MixtralForCausalLM, prompt: list[int]) -> torch.Tensor:
    """[t, V] in the model's dtype: one pass over the whole prompt."""
    return model(torch.tensor([prompt]), use_cache=False).logits[0].contiguous()


@torch.no_grad()
def greedy_run(
    model: MixtralForCausalLM, prompt: list[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """The tokens of highest logit, and by how much each beat the second: [64] i32, [64] f32.

    Prefill, then one token at a time over transformers' own cache.
    """
    tokens, gaps = greedy_batch(model, torch.tensor([prompt]))
    return tokens[0].to(torch.int32), gaps[0].to(torch.float32)


@torch.no_grad()
def gate_choices(
    model: MixtralForCausalLM, tokens: list[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """The experts of every token, and by how much the gate preferred them to the best one left out.

    Experts by falling gate logit, [t, L, K] u8; the gap between the gate logits of the last expert
    chosen and the first not chosen, [t, L] f32.
    """
    output = model(torch.tensor([tokens]), use_cache=False, output_router_logits=True)
    numbers = model.config.num_experts_per_tok
    logits = torch.stack(output.router_logits, dim=1).float()
    top = logits.topk(numbers + 1, dim=-1)
    margins = top.values[..., numbers - 1] - top.values[..., numbers]
    return top.indices[..., :numbers].to(torch.uint8).contiguous(), margins.contiguous()


@torch.no_grad()
def greedy_batch(
    model: MixtralForCausalLM, prompts: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    tokens, gaps = [], []
    cache, following = None, prompts
    for _ in range(GREEDY_TOKENS):
        output = model(following, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        top = output.logits[:, -1].float().topk(2, dim=-1)
        following = top.indices[:, :1]
        tokens.append(following)
        gaps.append(top.values[:, :1] - top.values[:, 1:])
    return torch.cat(tokens, dim=1), torch.cat(gaps, dim=1)


def choose_prompts(
    exact: MixtralForCausalLM, rounded: MixtralForCausalLM, golden: GoldenModel
) -> list[list[int]]:
    """Of random prompts of each length, the one whose greedy text is the least in doubt.

    Logits of random models are close together: of 64 greedy choices a few are usually settled by
    less than bf16 can tell apart, and past such a step two right implementations may part. So the
    prompt taken is the one whose closest choice is the least close, of those whose text is varied,
    holds no end of sequence, and is the same in f32 (`exact`) and bf16 (`rounded`).
    """
    generator = np.random.default_rng(golden.seed + 1000)
    chosen = []
    for length in golden.prompt_lengths:
        ids = generator.integers(3, VOCAB_SIZE, size=(CANDIDATES, length))
        # A one-token prompt is a bare token; longer ones begin as real ones do.
        if length > 1:
            ids[:, 0] = BOS
        tokens, gaps = greedy_batch(exact, torch.from_numpy(ids))
        varied = [len(set(row)) >= DISTINCT_MIN and EOS not in row for row in tokens.tolist()]
        by_doubt = gaps.min(dim=1).values.argsort(descending=True).tolist()
        best = next(
            (
                index
                for index in by_doubt
                if varied[index]
                and torch.equal(greedy_run(rounded, ids[index].tolist())[0], tokens[index].int())
            ),
            None,
        )
        assert best is not None, f"{golden.name}: no prompt of {length} tokens will do"
        chosen.append(ids[best].tolist())
    return chosen
