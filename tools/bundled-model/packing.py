"""Documents as rows of token ids of one length, whole documents side by side."""

from __future__ import annotations

import random

import torch
from tokenizers import Tokenizer

from documents import render


def encode(tokenizer: Tokenizer, documents: list[dict], limit: int) -> list[tuple[list, list]]:
    """(ids, weights) of each document of at most `limit` tokens; a weight is of predicting its id.

    In a chat only the answers and their ends are to be predicted: weight 1; questions have 0.
    """
    close = tokenizer.encode("[/INST]", add_special_tokens=False).ids
    texts = [render(d) for d in documents]
    out = []
    for document, coded in zip(
        documents, tokenizer.encode_batch(texts, add_special_tokens=False), strict=True
    ):
        ids = coded.ids
        if len(ids) > limit:
            continue
        weights = [1.0] * len(ids)
        if "messages" in document:
            asked = True
            for at, token in enumerate(ids):
                weights[at] = 0.0 if asked else 1.0
                if asked and ids[max(0, at + 1 - len(close)) : at + 1] == close:
                    asked = False
                elif token == 2:
                    asked = True
        out.append((ids, weights))
    return out


def pack(encoded: list[tuple[list, list]], length: int, rng: random.Random):
    """Rows of whole documents: ids, weights and document numbers, each [N, length].

    Padding has id 2, weight 0 and document number -1.
    """
    order = list(range(len(encoded)))
    rng.shuffle(order)
    open_rows: list[list[int]] = []
    done: list[list[int]] = []
    room: list[int] = []
    for index in order:
        size = len(encoded[index][0])
        slot = next((i for i, free in enumerate(room) if free >= size), None)
        if slot is None:
            open_rows.append([])
            room.append(length)
            slot = len(open_rows) - 1
        open_rows[slot].append(index)
        room[slot] -= size
        if room[slot] < 8 or len(open_rows) > 64:
            full = min(range(len(room)), key=room.__getitem__)
            done.append(open_rows.pop(full))
            room.pop(full)
    done.extend(open_rows)
    rng.shuffle(done)
    ids = torch.full((len(done), length), 2, dtype=torch.long)
    weights = torch.zeros(len(done), length)
    owners = torch.full((len(done), length), -1, dtype=torch.long)
    for row, members in enumerate(done):
        at = 0
        for number, index in enumerate(members):
            tokens, weight = encoded[index]
            ids[row, at : at + len(tokens)] = torch.tensor(tokens)
            weights[row, at : at + len(tokens)] = torch.tensor(weight)
            weights[row, at] = 0.0
            owners[row, at : at + len(tokens)] = number
            at += len(tokens)
    return ids, weights, owners


def own_document_mask(owners: torch.Tensor) -> torch.Tensor:
    """[B, 1, T, T]: true where a position may attend, itself and before in its own document."""
    same = owners.unsqueeze(-1) == owners.unsqueeze(-2)
    return (same.tril())[:, None]
