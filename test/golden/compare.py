"""Holds a fresh generation against the committed files."""

from pathlib import Path

import torch
from safetensors import safe_open

# All that is not named here is equal bit for bit. What transformers computes may differ in the last
# bits on another processor, where sums run in another order.
RELATIVE_L2_MAX = {
    "f32.logits": 1e-5,
    "f32.gaps": 1e-4,
    "f32.margins": 1e-4,
    "bf16.logits": 3e-2,
    "bf16.gaps": 0.3,
}


def compare_folders(committed: Path, fresh: Path, names: list[str]) -> list[str]:
    """One line for each difference; none means the files are reproduced."""
    problems = []
    for name in names:
        problems += compare_models(committed / "models" / name, fresh / "models" / name)
        file = f"expected/{name}.safetensors"
        problems += compare_expected(committed / file, fresh / file)
    return problems


def compare_models(committed: Path, fresh: Path) -> list[str]:
    if not committed.is_dir():
        return [f"{committed}: missing"]
    files = {path.name for folder in (committed, fresh) for path in folder.iterdir()}
    return [
        f"{committed / file}: not what the script writes"
        for file in sorted(files)
        if not (committed / file).is_file()
        or not (fresh / file).is_file()
        or (committed / file).read_bytes() != (fresh / file).read_bytes()
    ]


def compare_expected(committed: Path, fresh: Path) -> list[str]:
    if not committed.is_file():
        return [f"{committed}: missing"]
    problems = []
    with safe_open(committed, "pt") as old, safe_open(fresh, "pt") as new:
        if set(old.keys()) != set(new.keys()):
            return [f"{committed}: holds other tensors than the script writes"]
        for key in sorted(new.keys()):
            problem = compare_tensor(key, old.get_tensor(key), new.get_tensor(key))
            if problem is not None:
                problems.append(f"{committed}: {key} {problem}")
    return problems


def compare_tensor(key: str, old: torch.Tensor, new: torch.Tensor) -> str | None:
    if old.shape != new.shape or old.dtype != new.dtype:
        return f"is {old.dtype} {tuple(old.shape)}, now {new.dtype} {tuple(new.shape)}"
    bound = RELATIVE_L2_MAX.get(key.partition(".")[2])
    if bound is None:
        return None if torch.equal(old, new) else "differs"
    distance = float((old.double() - new.double()).norm() / new.double().norm())
    # Written so that NaN fails.
    return None if distance <= bound else f"is off by {distance:.2e} relative L2, at most {bound}"
