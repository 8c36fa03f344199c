"""Turns a training checkpoint into the bf16 Hugging Face directory that is committed."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from tokenizers import Tokenizer

from model import new_config, new_model

MOST_WEIGHT_BYTES = 32 * 1024 * 1024


def check_layout(path: Path, layers: int) -> None:
    """Fails unless the file has the names of an ordinary Mixtral checkpoint, all in bf16."""
    with safe_open(path, framework="pt") as weights:
        names = set(weights.keys())
        for layer in range(layers):
            block = f"model.layers.{layer}.block_sparse_moe"
            assert f"{block}.gate.weight" in names, f"no gate in layer {layer}"
            for expert in range(8):
                for matrix in ("w1", "w2", "w3"):
                    name = f"{block}.experts.{expert}.{matrix}.weight"
                    assert name in names, f"{name} is missing"
        for name in names:
            assert weights.get_tensor(name).dtype == torch.bfloat16, f"{name} is not bf16"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True, help="its directory")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--intermediate", type=int, default=256)
    a = parser.parse_args()
    vocabulary = Tokenizer.from_file(str(a.tokenizer / "tokenizer.json")).get_vocab_size()
    model = new_model(new_config(vocabulary, a.hidden, a.layers, a.intermediate))
    state = torch.load(a.run / "state.pt", weights_only=True)
    model.load_state_dict(state["model"])
    model = model.to(torch.bfloat16)
    model.save_pretrained(a.out)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(a.tokenizer / name, a.out / name)
    weights = a.out / "model.safetensors"
    weights.chmod(0o644)
    check_layout(weights, a.layers)
    size = weights.stat().st_size
    assert size <= MOST_WEIGHT_BYTES, f"{size} bytes of weights"
    print(f"step {state['step']}: {size} bytes, {model.num_parameters()} parameters")


if __name__ == "__main__":
    main()
