"""A tiny tokenizer in the shape of Mistral's first: byte-fallback BPE over "▁" words."""

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, normalizers, processors
from tokenizers.models import BPE

from models import VOCAB_SIZE

SPECIAL = ("<unk>", "<s>", "</s>")
LETTERS = "▁abcdefghijklmnopqrstuvwxyz,."
MERGES = (
    "▁ t|h e|i n|▁ a|e r|o n|▁ s|▁ w|r e|▁t he|o u|a n|▁ o|i s|▁ b|▁ c|▁ f|e n|a t|o r|▁ h|e d|"
    "in g|▁ p|▁a n|▁an d|▁o f|▁t o|i t|▁ m|l l|e s"
)
CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('user and assistant must take turns, the user first') }}"
    "{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}"
    "{% else %}{{ raise_exception('only user and assistant may speak') }}{% endif %}"
    "{% endfor %}"
)


def build_tokenizer() -> Tokenizer:
    merges = [tuple(merge.split(" ")) for merge in MERGES.split("|")]
    pieces = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += ["".join(merge) for merge in merges] + list(LETTERS)
    assert len(pieces) == len(set(pieces)) == VOCAB_SIZE, len(pieces)
    vocab = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(
        BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL])
    return tokenizer


def save_tokenizer(folder: Path) -> None:
    build_tokenizer().save(str(folder / "tokenizer.json"), pretty=False)
    added = {
        str(index): {
            "content": token,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": True,
        }
        for index, token in enumerate(SPECIAL)
    }
    config = {
        "add_bos_token": True,
        "add_eos_token": False,
        "added_tokens_decoder": added,
        "bos_token": "<s>",
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": "</s>",
        "legacy": True,
        "model_max_length": 256,
        "tokenizer_class": "LlamaTokenizer",
        "unk_token": "<unk>",
    }
    text = json.dumps(config, indent=2, ensure_ascii=False)
    (folder / "tokenizer_config.json").write_text(text + "\n", encoding="utf-8")
