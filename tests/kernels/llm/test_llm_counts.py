"""FLOP and bytes against counts made by hand, matrix by matrix, for three models of unlike build."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.errors import KernelInputError
from kernels.llm import counts
from kernels.llm.shapes import load, names

BF16, FP8, FP4 = (counts.precision(name) for name in ("bf16", "fp8", "fp4"))

# By hand, weights that one token multiplies: per layer q, k, v, o, (router,) gate, up, down; then the output head.
LLAMA_8B_LAYER = 4096 * 4096 + 2 * 4096 * 1024 + 4096 * 4096 + 3 * 4096 * 14336  # 218 103 808
MIXTRAL_LAYER = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 4096 * 8 + 2 * 3 * 4096 * 14336  # 394 297 344
GPT_OSS_LAYER = 2880 * 4096 + 2 * 2880 * 512 + 4096 * 2880 + 2880 * 128 + 4 * 3 * 2880 * 2880


@pytest.mark.parametrize(
    ("name", "layers", "layer_weights", "head_weights", "attention_at_4096"),
    [
        ("llama-3.1-8b", 32, LLAMA_8B_LAYER, 4096 * 128256, 32 * 4 * 4096 * 4096),
        ("mixtral-8x7b", 32, MIXTRAL_LAYER, 4096 * 32000, 32 * 4 * 4096 * 4096),
        # 18 layers see 128 tokens, 18 see all 4096
        ("gpt-oss-120b", 36, GPT_OSS_LAYER, 2880 * 201088, 18 * 4 * 4096 * 128 + 18 * 4 * 4096 * 4096),
    ],
)
def test_decode_flop_equal_a_count_by_hand(name, layers, layer_weights, head_weights, attention_at_4096):
    shape = load(name)
    if name == "gpt-oss-120b":  # 8 key-value heads of 64 make 512, not the 1024 that 128-wide heads would
        assert shape.kv_width == 512
    expected = 2 * (layers * layer_weights + head_weights) + attention_at_4096
    assert counts.decode_flop(shape, 4096) == expected


def test_decode_flop_of_llama_8b_is_the_number_worked_out_on_paper():
    assert counts.decode_flop(load("llama-3.1-8b"), 1024) == 15_546_187_776


@given(st.sampled_from(names()), st.integers(1, 600))
def test_prefill_flop_are_the_sum_of_its_tokens_with_one_head(name, tokens):
    shape = load(name)
    if shape.latent is not None and shape.indexer is None:  # a prompt's keys are not the latents that decoding uses
        shape = shape.resized(latent=None)
    one_by_one = sum(counts.decode_flop(shape, seen) for seen in range(1, tokens + 1))
    assert counts.prefill_flop(shape, tokens) == one_by_one - (tokens - 1) * counts.head_flop(shape)


def test_decode_bytes_of_llama_8b_in_bf16_equal_a_count_by_hand():
    shape = load("llama-3.1-8b")
    weights = 2 * (32 * LLAMA_8B_LAYER + 4096 * 128256)
    per_sequence = 1001 * 2 * 32 * 1024 * 2 + 4096 * 2  # 1000 read, 1 written, an embedding row
    assert counts.decode_bytes(shape, BF16, 1, 1000) == weights + per_sequence
    assert counts.decode_bytes(shape, BF16, 7, 1000) == weights + 7 * per_sequence


def test_decode_bytes_of_llama_70b_in_fp8_keep_the_head_in_16_bits():
    layer = 2 * 8192 * 8192 + 2 * 8192 * 1024 + 3 * 8192 * 28672
    expected = 80 * layer + 2 * 8192 * 128256 + 2 * (501 * 2 * 80 * 1024 + 2 * 8192)
    assert counts.decode_bytes(load("llama-3.3-70b"), FP8, 2, 500) == expected


def test_decode_bytes_of_a_mixture_read_only_the_experts_that_one_token_uses():
    shape = load("mixtral-8x7b")
    expected = 2 * (32 * MIXTRAL_LAYER + 4096 * 32000) + 11 * 2 * 32 * 1024 * 2 + 2 * 4096
    assert math.isclose(counts.decode_bytes(shape, BF16, 1, 10), expected, rel_tol=1e-12)


def test_prefill_bytes_read_the_weights_once_and_write_the_cache():
    shape = load("llama-3.1-8b")
    weights = 2 * (32 * LLAMA_8B_LAYER + 4096 * 128256)
    assert counts.prefill_bytes(shape, BF16, 100, 3) == weights + 300 * (131072 + 8192)


def test_a_windowed_cache_stops_growing():
    shape = load("gpt-oss-120b")
    assert counts.kv_bytes(shape, BF16, 100) == 100 * counts.kv_bytes_per_token(shape, BF16)
    assert counts.kv_bytes(shape, BF16, 1128) - counts.kv_bytes(shape, BF16, 128) == 1000 * 18 * 2 * 512 * 2


def test_active_parameters_equal_what_the_model_cards_say():
    gpt_oss = load("gpt-oss-120b")  # 5.13 B active: the card counts the head and not the embedding
    assert round((counts.active_parameters(gpt_oss) - 201088 * 2880) / 1e9, 2) == 5.13
    assert round(counts.active_parameters(load("mixtral-8x7b")) / 1e9, 1) == 12.9
    assert round(counts.active_parameters(load("qwen3-30b-a3b")) / 1e9, 1) == 3.4
    dense = load("llama-3.1-8b")
    assert counts.active_parameters(dense) == dense.parameters


def test_weights_in_memory_follow_the_format_of_each_role():
    shape = load("llama-3.3-70b")
    assert counts.weight_bytes(shape, BF16) == 2 * shape.parameters
    linear = counts.linear_flop_per_token(shape) // 2
    assert counts.weight_bytes(shape, FP4) == pytest.approx(linear * 0.5625 + 2 * (shape.parameters - linear))
    assert counts.weight_bytes(load("gpt-oss-120b"), counts.precision("mxfp4")) / 1e9 == pytest.approx(65.2, abs=0.2)


@given(st.integers(1, 10_000))
def test_more_tokens_never_touch_fewer_experts(tokens):
    shape = load("qwen3-30b-a3b")
    touched = counts.expected_experts(shape, tokens)
    assert shape.active_experts - 1e-9 <= touched <= shape.experts
    assert touched <= counts.expected_experts(shape, tokens + 1)


def test_elementwise_bytes_of_llama_8b_in_bf16_equal_a_count_by_hand():
    norms = 2 * 4096 * (2 + 2 + 2 + 2)
    attention = 3 * 6144 * 2 + 4096 * 4
    gate = 2 * 14336 * 2 * 2 + 14336 * 2
    outputs = 2 * 4096 * 2
    assert counts.elementwise_bytes_per_token(load("llama-3.1-8b"), BF16) == 32 * (norms + attention + gate + outputs)


def test_an_unknown_dtype_names_the_known_ones():
    with pytest.raises(KernelInputError, match=r"dtype: expected one of fp32, bf16.*got 'fp6' \(did you mean"):
        counts.precision("fp6")
    assert counts.precision("NVFP4") is FP4
