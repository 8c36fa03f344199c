"""What transformers computes for the same items, without the harness: writes expected.json.

The requirements are test/golden/requirements.txt; seconds on one core.
"""

import json
import math
import re
from pathlib import Path

import torch
from transformers import AutoTokenizer, MixtralForCausalLM

HERE = Path(__file__).parent
MODEL = (HERE / "../../../models/octet-tiny").resolve()

tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = MixtralForCausalLM.from_pretrained(MODEL, dtype=torch.float32).eval()


def main() -> None:
    expected = {
        "answers": score_answers(read("answers.jsonl")),
        "texts": score_texts(read("texts.jsonl")),
    }
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


def read(name: str) -> list[dict]:
    return [json.loads(line) for line in (HERE / name).open(encoding="utf-8")]


def log_likelihood(ids: list[int], start: int) -> tuple[float, bool]:
    """Of ids[start:] after those before, and whether each of them is the likeliest."""
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, start - 1 : -1].double()
    wanted = torch.tensor(ids[start:])
    chosen = logits.log_softmax(-1).gather(1, wanted[:, None])
    return chosen.sum().item(), bool((logits.argmax(-1) == wanted).all())


def score_answers(items: list[dict]) -> dict:
    right = right_by_length = 0
    scores = []
    for item in items:
        prompt = f"[INST] {item['question']} [/INST]"
        start = len(tokenizer(prompt).input_ids)
        found = [
            log_likelihood(tokenizer(f"{prompt} {choice}").input_ids, start)
            for choice in item["choices"]
        ]
        sums = [total for total, _ in found]
        means = [total / len(choice) for total, choice in zip(sums, item["choices"])]
        right += argmax(sums) == item["label"]
        right_by_length += argmax(means) == item["label"]
        scores.append([[total, greedy] for total, greedy in found])
    count = len(items)
    return {"acc": right / count, "acc_norm": right_by_length / count, "scores": scores}


def score_texts(items: list[dict]) -> dict:
    scores = []
    words = size = 0
    for item in items:
        # The harness puts a beginning token in front of what has one already.
        ids = [tokenizer.bos_token_id, *tokenizer(item["text"]).input_ids]
        scores.append(log_likelihood(ids, 1)[0])
        words += len(re.split(r"\s+", item["text"]))
        size += len(item["text"].encode())
    loss = -sum(scores)
    return {
        "word_perplexity": math.exp(loss / words),
        "byte_perplexity": math.exp(loss / size),
        "bits_per_byte": loss / size / math.log(2),
        "scores": scores,
    }


def argmax(values: list[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


if __name__ == "__main__":
    main()
