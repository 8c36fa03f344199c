"""The golden models: which corner of the Mixtral architecture each one stands for."""

from dataclasses import dataclass, field

VOCAB_SIZE = 320


@dataclass(frozen=True)
class GoldenModel:
    """One tiny checkpoint. `shape` overrides MixtralConfig; everything else is how it is stored."""

    name: str
    # Changing a seed changes the committed weights, and with them every expected number.
    seed: int
    stored_dtype: str
    shape: dict
    rope_theta: float = 1_000_000.0
    # Given, the weights are split over files of at most this size with an index beside them.
    max_shard_size: str | None = None
    prompt_lengths: tuple[int, ...] = field(default=(1, 9, 17, 33))


MODELS = (
    # Mixtral 8x7B in small: 8 experts, K 2, grouped-query attention, published as bf16.
    GoldenModel(
        name="plain",
        seed=11,
        stored_dtype="bfloat16",
        shape=dict(
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            num_local_experts=8,
            num_experts_per_tok=2,
        ),
    ),
    # 16 experts of which 4 are chosen; the weights lie in several files with an index.
    GoldenModel(
        name="sixteen-experts",
        seed=12,
        stored_dtype="float32",
        max_shard_size="160KB",
        shape=dict(
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=4,
            num_local_experts=16,
            num_experts_per_tok=4,
        ),
    ),
    # K 1, so every combine weight is 1; multi-query attention; stored as f16.
    GoldenModel(
        name="one-of-four",
        seed=13,
        stored_dtype="float16",
        rope_theta=10_000.0,
        shape=dict(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            num_local_experts=4,
            num_experts_per_tok=1,
        ),
    ),
    # The LM head is the embedding matrix, so the checkpoint has no lm_head.weight.
    GoldenModel(
        name="tied",
        seed=14,
        stored_dtype="float32",
        shape=dict(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            num_local_experts=4,
            num_experts_per_tok=2,
            tie_word_embeddings=True,
        ),
    ),
    # A window shorter than the longer prompts and than all the greedy text; three layers, so that
    # what lies outside one layer's window still arrives through another's.
    GoldenModel(
        name="sliding-window",
        seed=15,
        stored_dtype="float32",
        shape=dict(
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            num_local_experts=4,
            num_experts_per_tok=2,
            sliding_window=12,
        ),
    ),
    # Nothing is a multiple of 32: explicit head_dim (3 heads x 24 is not H), 5 experts, K 3, a rope
    # theta that is not a power of ten, an epsilon large enough to show. There is no q8 of it.
    GoldenModel(
        name="uneven",
        seed=16,
        stored_dtype="float32",
        rope_theta=12_345.678,
        shape=dict(
            hidden_size=40,
            intermediate_size=72,
            num_hidden_layers=2,
            num_attention_heads=3,
            num_key_value_heads=1,
            head_dim=24,
            num_local_experts=5,
            num_experts_per_tok=3,
            rms_norm_eps=1e-2,
        ),
    ),
)
