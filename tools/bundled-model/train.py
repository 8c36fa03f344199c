"""Trains the bundled model on the CPU. Seeded; resumes from the last checkpoint in --run.

A checkpoint is written every few minutes, and when the run is told to stop.

The learning rate warms up, stays, and falls linearly over the last part (--decay-from); the moment
of the fall may be changed on resuming, so a run can be cut to the time there is.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from documents import read_documents
from model import forward, new_config, new_model
from packing import encode, own_document_mask, pack

BALANCE_WEIGHT = 0.02
Z_WEIGHT = 1e-3
GRADIENT_NORM = 1.0


def learning_rate(step: int, a: argparse.Namespace) -> float:
    if step < a.warmup:
        return a.lr * (step + 1) / a.warmup
    if step < a.decay_from:
        return a.lr
    return a.lr * max(0.02, (a.steps - step) / max(1, a.steps - a.decay_from))


def save(run: Path, model, optimizer, step: int) -> None:
    partial = run / "state.pt.partial"
    torch.save(
        {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, partial
    )
    os.replace(partial, run / "state.pt")


def new_optimizer(model, lr: float):
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    return torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}],
        lr=lr,
        betas=(0.9, 0.98),
        eps=1e-9,
        fused=True,
    )


def train_step(model, optimizer, batch) -> dict:
    ids, weights, owners = batch
    counted = (owners >= 0).flatten()
    hidden, balance, z, shares = forward(model, ids, own_document_mask(owners), counted)
    keep = weights[:, 1:].flatten().nonzero().squeeze(-1)
    logits = model.lm_head(hidden[:, :-1].flatten(0, 1).index_select(0, keep))
    text_loss = F.cross_entropy(logits, ids[:, 1:].flatten().index_select(0, keep))
    loss = text_loss + BALANCE_WEIGHT * balance + Z_WEIGHT * z
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return {
        "loss": text_loss.item(),
        "balance": balance.item(),
        "least": shares.min().item(),
        "most": shares.max().item(),
        "tokens": int(counted.sum()),
    }


def check_forward(model) -> None:
    """Fails unless `forward` and transformers' own forward agree."""
    ids = torch.randint(3, model.config.vocab_size, (2, 50))
    with torch.no_grad():
        ours, theirs = model.lm_head(forward(model, ids)[0]), model(ids).logits
    worst = (ours - theirs).abs().max().item()
    assert worst < 1e-4, f"our forward differs from transformers' by {worst}"
    print(f"our forward equals transformers' within {worst:.1e}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True, help="tokenizer.json")
    parser.add_argument("--run", type=Path, required=True, help="checkpoints and log")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--intermediate", type=int, default=256)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--warmup", type=int, default=60)
    parser.add_argument("--decay-from", type=int, default=3000)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--minutes", type=float, default=600.0, help="stop (and save) after this")
    parser.add_argument("--save-minutes", type=float, default=3.0)
    return parser.parse_args()


def main() -> None:
    a = parse()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    torch.manual_seed(a.seed)
    a.run.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(a.tokenizer))
    encoded = encode(tokenizer, read_documents(a.data), a.length)
    model = new_model(new_config(tokenizer.get_vocab_size(), a.hidden, a.layers, a.intermediate))
    check_forward(model)
    optimizer = new_optimizer(model, a.lr)
    step = 0
    if (a.run / "state.pt").exists():
        state = torch.load(a.run / "state.pt", weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
        print(f"resumed at step {step}")
    stopping = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.append(True))
    started = saved = time.monotonic()
    log = (a.run / "log.jsonl").open("a", encoding="utf-8")
    epoch, rows, tokens = -1, None, 0
    per_epoch = None
    while step < a.steps and not stopping and time.monotonic() - started < a.minutes * 60:
        # The order of rows depends on the seed and the step alone, so a resumed run goes on in it.
        if rows is None or step // per_epoch != epoch:
            if per_epoch is None:
                per_epoch = len(pack(encoded, a.length, random.Random(a.seed))[0]) // a.rows - 8
            epoch = step // per_epoch
            rows = pack(encoded, a.length, random.Random(a.seed + epoch))
        at = (step - epoch * per_epoch) * a.rows
        lr = learning_rate(step, a)
        for group in optimizer.param_groups:
            group["lr"] = lr
        figures = train_step(model, optimizer, [part[at : at + a.rows] for part in rows])
        step += 1
        tokens += figures["tokens"]
        seconds = time.monotonic() - started
        if step % 20 == 0:
            line = {
                "step": step,
                "epoch": epoch,
                "lr": lr,
                "per_second": tokens / seconds,
            } | figures
            log.write(json.dumps({k: round(v, 5) for k, v in line.items()}) + "\n")
            log.flush()
        if time.monotonic() - saved > a.save_minutes * 60:
            save(a.run, model, optimizer, step)
            saved = time.monotonic()
    save(a.run, model, optimizer, step)
    print(f"step {step}, {tokens} tokens in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
