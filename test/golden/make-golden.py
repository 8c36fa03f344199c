"""Writes tiny random Mixtral checkpoints and what Hugging Face transformers computes with them.

    python make-golden.py            writes models/ and expected/ beside this file
    python make-golden.py --check    writes them to a temporary folder and compares

See README.md for what is in the files and how exact the comparison is.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

# One thread and no fast-path surprises: sums have one order on a given machine.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import torch
from safetensors.torch import save_file
from transformers import MixtralConfig, MixtralForCausalLM
from transformers.utils.logging import disable_progress_bar

from compare import compare_folders
from models import MODELS, VOCAB_SIZE, GoldenModel
from runs import choose_prompts, gate_choices, greedy_run, prompt_logits
from tokenizer_files import save_tokenizer
from weights import fill_weights

HERE = Path(__file__).resolve().parent


def build_model(golden: GoldenModel) -> MixtralForCausalLM:
    """The model in f32, holding exactly the values that its stored dtype can express."""
    config = MixtralConfig(
        vocab_size=VOCAB_SIZE,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=2,
        rope_parameters={"rope_type": "default", "rope_theta": golden.rope_theta},
        **golden.shape,
    )
    config._attn_implementation = "eager"
    config._experts_implementation = "eager"
    model = MixtralForCausalLM(config).eval()
    fill_weights(model, golden.seed)
    return model.to(getattr(torch, golden.stored_dtype))


def save_checkpoint(model: MixtralForCausalLM, golden: GoldenModel, folder: Path) -> None:
    sharding = {} if golden.max_shard_size is None else {"max_shard_size": golden.max_shard_size}
    model.save_pretrained(folder, **sharding)
    save_tokenizer(folder)


def load_checkpoint(folder: Path, dtype: torch.dtype) -> MixtralForCausalLM:
    """Reads the checkpoint back as any user would."""
    return MixtralForCausalLM.from_pretrained(
        folder, dtype=dtype, attn_implementation="eager", experts_implementation="eager"
    ).eval()


def expected_tensors(folder: Path, golden: GoldenModel) -> dict[str, torch.Tensor]:
    """What the checkpoint computes in f32 and in bf16."""
    models = {
        "f32": load_checkpoint(folder, torch.float32),
        "bf16": load_checkpoint(folder, torch.bfloat16),
    }
    tensors: dict[str, torch.Tensor] = {}
    for index, prompt in enumerate(choose_prompts(models["f32"], models["bf16"], golden)):
        tensors[f"{index}.prompt"] = torch.tensor(prompt, dtype=torch.int32)
        for label, model in models.items():
            tokens, gaps = greedy_run(model, prompt)
            tensors[f"{index}.{label}.logits"] = prompt_logits(model, prompt)
            tensors[f"{index}.{label}.greedy"] = tokens
            tensors[f"{index}.{label}.gaps"] = gaps
            if label == "f32":
                fed = [*prompt, *tokens.tolist()[:-1]]
                experts, margins = gate_choices(model, fed)
                tensors[f"{index}.f32.experts"] = experts
                tensors[f"{index}.f32.margins"] = margins
    return tensors


def write_all(root: Path, names: list[str]) -> None:
    for golden in MODELS:
        if names and golden.name not in names:
            continue
        folder = root / "models" / golden.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (root / "expected").mkdir(exist_ok=True)
        save_checkpoint(build_model(golden), golden, folder)
        tensors = expected_tensors(folder, golden)
        save_file(tensors, root / "expected" / f"{golden.name}.safetensors")
        size = sum(file.stat().st_size for file in folder.iterdir())
        print(f"{golden.name}: {size / 1000:.0f} kB", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("names", nargs="*", help="only these models")
    arguments = parser.parse_args()
    disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    if not arguments.check:
        write_all(HERE, arguments.names)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        write_all(Path(temporary), arguments.names)
        names = arguments.names or [golden.name for golden in MODELS]
        problems = compare_folders(HERE, Path(temporary), names)
    for problem in problems:
        print(problem)
    print(f"{len(names)} models compared, {len(problems)} differences")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
