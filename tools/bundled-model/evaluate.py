"""Measures a saved model: held-out perplexity, each expert's share of the tokens, greedy answers.

Runs transformers' own forward on the directory as it is committed. Writes evaluation.json (figures
and continuations) and greedy.json (token ids and top-2 gaps of the prompts, in bf16 and f32).
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import AutoTokenizer, MixtralForCausalLM

from documents import read_documents, render
from packing import encode

NEW_TOKENS = 96


def perplexities(model, tokenizer, documents: list[dict]) -> dict:
    """Per language and kind of document, over the tokens that training predicts."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for document in documents:
        (ids, weights), *_ = encode(tokenizer.backend_tokenizer, [document], 10_000)
        row = torch.tensor([ids])
        with torch.no_grad():
            logits = model(row).logits[0, :-1].float()
        losses = F.cross_entropy(logits, row[0, 1:], reduction="none")
        wanted = torch.tensor(weights[1:])
        for key in (document["lang"], document["kind"], "all"):
            sums[key][0] += (losses * wanted).sum().item()
            sums[key][1] += wanted.sum().item()
    return {key: round(math.exp(total / count), 3) for key, (total, count) in sorted(sums.items())}


def expert_shares(model, tokenizer, documents: list[dict]) -> list[list[float]]:
    """Share [L][E] of the (token, choice) pairs of the documents that go to each expert."""
    chosen = defaultdict(lambda: torch.zeros(model.config.num_local_experts))
    for document in documents:
        ids = tokenizer(render(document), add_special_tokens=False, return_tensors="pt").input_ids
        with torch.no_grad():
            logits = model(ids, output_router_logits=True).router_logits
        for layer, scores in enumerate(logits):
            top = scores.topk(model.config.num_experts_per_tok, dim=-1).indices
            chosen[layer] += torch.bincount(top.flatten(), minlength=len(chosen[layer]))
    return [
        [round(v, 4) for v in (counts / counts.sum()).tolist()]
        for _, counts in sorted(chosen.items())
    ]


def prompt_ids(tokenizer, prompt: dict) -> list[int]:
    if "text" in prompt:
        return tokenizer(prompt["text"]).input_ids
    messages = [{"role": "user", "content": prompt["chat"]}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return tokenizer(text, add_special_tokens=False).input_ids


def greedy(model, ids: list[int]) -> tuple[list[int], list[float]]:
    """Greedy tokens up to and with the end token, and how far each led the second best logit.

    The whole sequence goes through the model for every token, so no cache enters the result.
    """
    out, gaps = [], []
    while len(out) < NEW_TOKENS:
        with torch.no_grad():
            logits = model(torch.tensor([ids + out])).logits[0, -1].float()
        top = logits.topk(2)
        out.append(top.indices[0].item())
        gaps.append(round((top.values[0] - top.values[1]).item(), 5))
        if out[-1] == model.config.eos_token_id:
            break
    return out, gaps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--heldout", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=600, help="held-out documents to use")
    parser.add_argument("--prompts", type=Path, default=Path(__file__).with_name("prompts.json"))
    a = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(a.model)
    f32 = MixtralForCausalLM.from_pretrained(a.model, dtype=torch.float32)
    bf16 = MixtralForCausalLM.from_pretrained(a.model, dtype=torch.bfloat16)
    assert f32.num_parameters() == bf16.num_parameters()
    documents = read_documents(a.heldout)[: a.documents]

    answers, tokens = [], []
    for prompt in json.loads(a.prompts.read_text(encoding="utf-8")):
        ids = prompt_ids(tokenizer, prompt)
        record = prompt | {"promptIds": ids}
        for name, model in (("f32", f32), ("bf16", bf16)):
            made, gaps = greedy(model, ids)
            record[name] = {"ids": made, "gaps": gaps}
        text = tokenizer.decode(record["bf16"]["ids"], skip_special_tokens=True)
        answers.append(prompt | {"answer": text})
        tokens.append(record)
        print(json.dumps(answers[-1], ensure_ascii=False), flush=True)
    figures = {
        "perplexity": perplexities(f32, tokenizer, documents),
        "expertShares": expert_shares(f32, tokenizer, documents),
        "documents": len(documents),
        "answers": answers,
    }
    shares = [share for layer in figures["expertShares"] for share in layer]
    text = json.dumps(figures, ensure_ascii=False, indent=1)
    (a.model / "evaluation.json").write_text(text + "\n", encoding="utf-8")
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in tokens)
    (a.model / "greedy.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(json.dumps(figures["perplexity"]), f"shares {min(shares):.3f} to {max(shares):.3f}")


if __name__ == "__main__":
    main()
