"""The FLOP and bytes of a language model, counted exactly from its shape.

A multiplication and an addition are two FLOP. The counts hold the matrix products, attention's two products, the steps
of recurrent layers, the router and the output head. They leave out norms, rotary, activation, softmax and sampling,
which are under 1 % of the FLOP; `elementwise_bytes_per_token` counts their bytes. The embedding is a look-up: it has no
FLOP and reads one row a token.
"""

from kernels.llm.counts.attention import (
    attention_flop,
    cache_bytes,
    cache_copies,
    index_bytes_per_token,
    index_pair_flop,
    keys_seen,
    kv_bytes,
    kv_bytes_per_token,
    pair_flop,
    prefill_attention_flop,
    recurrent_flop,
    state_bytes,
)
from kernels.llm.counts.precision import PRECISIONS, Precision, precision, product_dtype, weight_width
from kernels.llm.counts.routing import expected_experts, expected_largest_load, expected_tiles
from kernels.llm.counts.totals import (
    active_parameters,
    decode_bytes,
    decode_flop,
    elementwise_bytes_per_token,
    folded_bytes_per_token,
    head_flop,
    linear_flop_per_token,
    matrix_bytes,
    mtp_flop,
    prefill_bytes,
    prefill_flop,
    weight_bytes,
)
from kernels.llm.shapes import Matrix, matrices, mtp_matrices

__all__ = [
    "PRECISIONS",
    "Matrix",
    "Precision",
    "active_parameters",
    "attention_flop",
    "cache_bytes",
    "cache_copies",
    "decode_bytes",
    "decode_flop",
    "elementwise_bytes_per_token",
    "expected_experts",
    "expected_largest_load",
    "expected_tiles",
    "folded_bytes_per_token",
    "head_flop",
    "index_bytes_per_token",
    "index_pair_flop",
    "keys_seen",
    "kv_bytes",
    "kv_bytes_per_token",
    "linear_flop_per_token",
    "matrices",
    "matrix_bytes",
    "mtp_flop",
    "mtp_matrices",
    "pair_flop",
    "precision",
    "prefill_attention_flop",
    "prefill_bytes",
    "prefill_flop",
    "product_dtype",
    "recurrent_flop",
    "state_bytes",
    "weight_bytes",
    "weight_width",
]
