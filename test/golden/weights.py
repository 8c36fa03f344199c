"""Random weights that behave like trained ones where it matters for a test."""

import math

import numpy as np
import torch
from transformers import MixtralForCausalLM

# Standard deviation of what a matrix puts out for a normed input, by the end of its name. Scores,
# gate logits and logits must be well apart: at transformers' own initial 0.02 every softmax would
# be flat, and a wrong expert or a wrong position would hardly show in the logits.
GAINS = {
    "q_proj.weight": 1.4,
    "k_proj.weight": 1.4,
    "v_proj.weight": 1.0,
    "o_proj.weight": 1.2,
    "mlp.gate.weight": 2.0,
    "experts.gate_up_proj": 1.5,
    "experts.down_proj": 1.2,
    "lm_head.weight": 3.0,
}


def fill_weights(model: MixtralForCausalLM, seed: int) -> None:
    """Overwrites every parameter, in order of name, from NumPy's generator.

    NumPy's stream is the same on every processor; torch's depends on its vector width.
    """
    generator = np.random.default_rng(seed)
    for name, parameter in sorted(model.named_parameters()):
        noise = generator.standard_normal(tuple(parameter.shape), dtype=np.float32)
        if name.endswith("norm.weight"):
            values = 1.0 + 0.1 * noise
        elif name.endswith("embed_tokens.weight"):
            # Tied, it is the LM head too and shares its gain with it.
            tied = model.config.tie_word_embeddings
            values = noise * (2.0 / math.sqrt(parameter.shape[-1]) if tied else 1.0)
        else:
            gain = next(gain for ending, gain in GAINS.items() if name.endswith(ending))
            values = noise * (gain / math.sqrt(parameter.shape[-1]))
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(values.astype(np.float32)))
