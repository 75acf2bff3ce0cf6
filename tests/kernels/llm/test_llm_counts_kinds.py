"""FLOP and bytes of latent attention, sparse attention, recurrent layers and further tokens, against counts by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.errors import KernelInputError
from kernels.llm import counts
from kernels.llm.shapes import load, parameter_count
from kernels.llm.shapes.files import from_table

BF16, FP8 = counts.precision("bf16"), counts.precision("fp8")

# DeepSeek V3 by hand. A head has 128 numbers without position and 64 with; 512 numbers of latent and one key of 64.
MLA = 7168 * (1536 + 576) + 1536 * 128 * 192 + 512 * 128 * 256 + 128 * 128 * 7168
EXPERTS = 7168 * 256 + (8 + 1) * 3 * 7168 * 2048  # router, eight experts, one shared
DENSE = 3 * 7168 * 18432


def test_decoding_with_latent_attention_equals_a_count_by_hand():
    scores, outputs = 128 * 2 * 576, 128 * 2 * 512
    expected = 2 * (61 * MLA + 3 * DENSE + 58 * EXPERTS + 7168 * 129280) + 61 * 1000 * (scores + outputs)
    assert counts.decode_flop(load("deepseek-v3"), 1000) == expected


def test_a_prompt_of_latent_attention_works_on_keys_of_192_and_values_of_128():
    shape = load("deepseek-v3")
    assert counts.pair_flop(shape, decoding=False) == 128 * 2 * (192 + 128)
    assert counts.prefill_attention_flop(shape, 3) == 61 * (1 + 2 + 3) * 128 * 2 * (192 + 128)


def test_folding_the_projections_into_a_decoding_query_costs_what_the_projections_cost():
    # 128 heads map 128 numbers to the latent of 512, and the latent back to 128 numbers
    folded = 128 * 2 * 128 * 512 + 128 * 2 * 512 * 128
    (row,) = (row for row in counts.matrices(load("deepseek-v3")) if row.name == "key_value_up")
    assert 2 * row.weights == folded


def test_the_latent_cache_has_576_numbers_a_token_and_layer_and_each_shard_holds_all_of_it():
    shape = load("deepseek-v3")
    assert counts.kv_bytes_per_token(shape, BF16) == 61 * 576 * 2
    assert counts.cache_bytes(shape, FP8, 1000) == 1000 * 61 * 576
    assert counts.cache_copies(shape, 8) == 8
    llama = load("llama-3.3-70b")
    assert [counts.cache_copies(llama, shards) for shards in (1, 8, 16)] == [1, 1, 2]


def test_an_indexer_reads_short_keys_of_all_tokens_and_the_latents_of_2048():
    shape = load("deepseek-v3.2")
    short = 61 * (128 + 4)  # fp8 and one float32 scale
    assert counts.cache_bytes(shape, BF16, 10_000) == 10_000 * short + 2048 * 61 * 576 * 2
    assert counts.kv_bytes(shape, BF16, 10_000) == 10_000 * (short + 61 * 576 * 2)
    index = 10_000 * 64 * (2 * 128 + 2)
    assert counts.attention_flop(shape, 10_000) == 61 * (index + 2048 * 128 * 2 * (576 + 512))


def test_a_gated_delta_layer_equals_a_count_by_hand():
    shape = load("qwen3.5-35b-a3b")
    keys, values = 16 * 128, 32 * 128
    projections = 2048 * (2 * keys + values + values + 32 + 32) + values * 2048
    rows = {row.name: row for row in counts.matrices(shape)}
    assert rows["recurrent_in"].weights + rows["recurrent_out"].weights == projections
    assert rows["recurrent_in"].layers == 30
    state = 32 * 128 * 128
    # decay 1, read 2, add the difference 2, read out 2; a convolution of 4 over queries, keys and values
    assert counts.recurrent_flop(shape) == 30 * (7 * state + 2 * 4 * (2 * keys + values))
    assert counts.state_bytes(shape, BF16) == 30 * (4 * state + 2 * 3 * (2 * keys + values))


def test_attention_with_a_gate_has_twice_the_query_rows_and_the_key_rows_of_plain_attention():
    rows = {row.name: row for row in counts.matrices(load("qwen3.5-35b-a3b"))}
    assert (rows["qkv"].inner, rows["qkv"].outer, rows["qkv"].layers) == (2048, 2 * 16 * 256 + 2 * 2 * 256, 10)
    assert (rows["out"].inner, rows["out"].outer) == (16 * 256, 2048)


def test_a_mamba_2_layer_equals_a_count_by_hand():
    shape = load("nemotron-3-nano-30b-a3b")
    width, groups = 64 * 64, 8 * 128
    rows = {row.name: row for row in counts.matrices(shape)}
    assert rows["recurrent_in"].outer == width + width + 2 * groups + 64  # gate, x, B and C, step
    assert rows["recurrent_out"].weights == width * 2688
    state = 64 * 64 * 128
    assert counts.recurrent_flop(shape) == 23 * (5 * state + 2 * 4 * (width + 2 * groups))
    assert counts.state_bytes(shape, BF16) == 23 * (4 * state + 2 * 3 * (width + 2 * groups))


def test_decoding_with_layers_of_one_block_equals_a_count_by_hand():
    shape = load("nemotron-3-nano-30b-a3b")
    mamba = 2688 * (2 * 4096 + 2 * 1024 + 64) + 4096 * 2688
    attention = 2688 * (32 + 2 * 2) * 128 + 32 * 128 * 2688
    experts = 2688 * 128 + 2 * 2688 * (6 * 1856 + 3712)  # no gate
    linear = 2 * (23 * mamba + 6 * attention + 23 * experts + 2688 * 131072)
    expected = linear + counts.recurrent_flop(shape) + 6 * 4 * 32 * 128 * 500
    assert counts.decode_flop(shape, 500) == expected


def test_a_decoding_step_of_a_hybrid_reads_and_writes_each_state():
    shape = load("qwen3.5-27b")
    one, two = (counts.decode_bytes(shape, BF16, batch, 100) for batch in (1, 2))
    cache = 101 * 2 * 16 * 4 * 256 * 2
    assert two - one == cache + 2 * counts.state_bytes(shape, BF16) + 5120 * 2


def test_experts_that_work_on_a_narrower_width_equal_a_count_by_hand():
    rows = {row.name: row for row in counts.matrices(load("nemotron-3-super-120b-a12b"))}
    assert (rows["up"].weights, rows["down"].weights) == (1024 * 2688, 2688 * 1024)
    assert (rows["expert_in"].weights, rows["shared_up"].weights) == (4096 * 1024, 4096 * 5376)
    assert rows["up"].active == 22


def test_layers_without_attention_cost_no_cache_and_each_width_is_a_row_of_its_own():
    shape = load("nemotron-super-49b")
    assert counts.kv_bytes_per_token(shape, BF16) == 49 * 2 * 8 * 128 * 2
    assert counts.attention_flop(shape, 10) == 49 * 4 * 8192 * 10
    widths = {row.inner: row.layers for row in counts.matrices(shape) if row.name.endswith("down")}
    assert widths == {28672: 49, 14336: 6, 17920: 1, 7168: 10, 5632: 8, 2816: 6}


def test_one_further_token_costs_a_layer_of_experts_the_projection_that_joins_it_and_the_head():
    expected = 2 * (MLA + EXPERTS + 2 * 7168 * 7168 + 7168 * 129280)
    assert counts.mtp_flop(load("deepseek-v3")) == expected
    assert counts.mtp_flop(load("llama-3.1-8b")) == 0


def test_weights_with_the_further_token_layers_are_larger_by_their_parameters():
    shape = load("qwen3.5-397b-a17b")
    more = counts.weight_bytes(shape, BF16, mtp=True) - counts.weight_bytes(shape, BF16)
    assert counts.weight_bytes(shape, BF16) == 2 * parameter_count(shape)
    assert more == 2 * 6_595_568_128


@pytest.mark.parametrize("name", ["deepseek-v3", "glm-5", "qwen3.5-35b-a3b", "nemotron-3-nano-30b-a3b", "gpt-oss-20b"])
@given(context=st.integers(1, 20_000))
def test_a_longer_context_never_costs_less(name, context):
    shape = load(name)
    assert counts.attention_flop(shape, context) <= counts.attention_flop(shape, context + 1)
    assert counts.cache_bytes(shape, BF16, context) <= counts.cache_bytes(shape, BF16, context + 1)
    assert counts.cache_bytes(shape, BF16, context) <= counts.kv_bytes(shape, BF16, context) * (1 + 1e-12)


def test_fp4_checkpoints_keep_the_matrices_that_the_maker_excluded_in_16_bits():
    shape, fp4 = load("minimax-m2.5"), counts.precision("fp4")
    rows = {row.name: row for row in counts.matrices(shape)}
    assert [counts.weight_width(rows[name], fp4) for name in ("qkv", "out", "gate_up", "router")] == [2, 2, 0.5625, 2]
    assert [counts.product_dtype(rows[name], fp4) for name in ("qkv", "gate_up")] == ["bf16", "fp4"]
    assert counts.weight_width(rows["qkv"], FP8) == 1
    assert counts.product_dtype(rows["qkv"], FP8) == "fp8"
    attention = 62 * (3072 * 8192 + 6144 * 3072)
    experts = 62 * 256 * 3 * 3072 * 1536
    assert counts.weight_bytes(shape, fp4) == 0.5625 * experts + 2 * (parameter_count(shape) - experts)
    assert (
        counts.weight_bytes(shape.resized(not_in_fp4=[]), fp4) == counts.weight_bytes(shape, fp4) - 1.4375 * attention
    )


def test_folded_queries_and_outputs_of_latent_attention_pass_through_memory():
    made, folded = 3 * 128 * 256, 4 * 128 * 512
    assert counts.folded_bytes_per_token(load("deepseek-v3"), BF16) == 61 * 2 * (folded - made)
    assert counts.folded_bytes_per_token(load("llama-3.1-8b"), BF16) == 0


def test_activations_of_deepseek_grow_with_its_active_experts_and_shrink_with_shards():
    shape = load("deepseek-v3")
    whole, halved = (counts.elementwise_bytes_per_token(shape, BF16, shards) for shards in (1, 2))
    assert halved < whole < 2 * halved
    fewer = shape.resized(active_experts=4, parameters=None)
    routed = 58 * 4 * (7168 * 2 * 2 + 2 * 2048 * 2 * 2 + 2048 * 2)
    assert math.isclose(whole - counts.elementwise_bytes_per_token(fewer, BF16), routed)


def test_gemma_reads_a_window_in_five_of_six_layers():
    shape = load("gemma-3-27b")  # 62 layers; the 6th, 12th, ... 60th see everything
    assert [shape.reach(layer, 3000) for layer in range(12)] == [*5 * [1024], 3000, *5 * [1024], 3000]
    assert counts.attention_flop(shape, 3000) == 4 * 4096 * (10 * 3000 + 52 * 1024)
    assert counts.attention_flop(shape, 1000) == 4 * 4096 * 62 * 1000
    first = 1024 * 1025 // 2
    assert counts.prefill_attention_flop(shape, 3000) == 4 * 4096 * (
        10 * (3000 * 3001 // 2) + 52 * (first + 1976 * 1024)
    )
    assert counts.kv_bytes(shape, BF16, 3000) == 2 * 4096 * (10 * 3000 + 52 * 1024)


def test_whole_layers_of_gemma_4_have_wider_and_fewer_heads_of_their_own():
    shape = load("gemma-4-31b")  # 50 layers with the window, 10 that see everything
    near, far = 32 * 256, 32 * 512
    assert counts.attention_flop(shape, 3000) == 4 * (near * 50 * 1024 + far * 10 * 3000)
    pairs, first = 3000 * 3001 // 2, 1024 * 1025 // 2 + 1976 * 1024
    assert counts.prefill_attention_flop(shape, 3000) == 4 * (near * 50 * first + far * 10 * pairs)
    assert counts.kv_bytes(shape, BF16, 3000) == 2 * 2 * (50 * 1024 * 16 * 256 + 10 * 3000 * 4 * 512)
    assert counts.cache_bytes(shape, BF16, 3000) == counts.kv_bytes(shape, BF16, 3000)
    widths = {matrix.name: (matrix.inner, matrix.outer, matrix.layers) for matrix in counts.matrices(shape)}
    assert widths["qkv"] == (5376, near + 2 * 16 * 256, 50)
    assert widths["whole_qkv"] == (5376, far + 4 * 512, 10)  # keys and values come from one matrix
    assert widths["whole_out"] == (far, 5376, 10)
    assert [counts.cache_copies(shape, shards) for shards in (1, 4, 8)] == [1.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"full_every": 0, "windowed_every": 2}, "key full_every: expected a number and no table latent"),
        ({"heads": 48, "kv_heads": 16, "whole": {"kv_heads": 5, "head_size": 512}}, "key whole.kv_heads"),
    ],
)
def test_whole_layers_that_do_not_fit_the_model_are_refused(changed, message):
    table = load("gemma-4-31b").model_dump(exclude={"name"}) | changed
    with pytest.raises(KernelInputError, match=message):
        from_table(table, "gemma-4-31b", "gemma-4-31b.toml")


def test_llama_4_sees_the_tokens_of_its_chunk_in_three_of_four_layers():
    shape = load("llama-4-scout")  # 48 layers, chunks of 8,192 tokens, 40 heads of 128
    assert [shape.reach(layer, 20000) for layer in range(4)] == [3616, 3616, 3616, 20000]  # 20000 = 2 x 8192 + 3616
    assert [shape.near(context) for context in (1, 8192, 8193, 16384)] == [1, 8192, 1, 8192]
    assert counts.attention_flop(shape, 20000) == 4 * 5120 * (12 * 20000 + 36 * 3616)
    chunks = 2 * (8192 * 8193 // 2) + 3616 * 3617 // 2
    assert counts.prefill_attention_flop(shape, 20000) == 4 * 5120 * (12 * (20000 * 20001 // 2) + 36 * chunks)


def test_experts_of_llama_4_maverick_stand_in_every_second_layer():
    shape = load("llama-4-maverick")
    attention = 5120 * (2 * 5120 + 2 * 1024)
    dense, expert, router = 3 * 5120 * 16384, 3 * 5120 * 8192, 5120 * 128
    expected = 48 * attention + 24 * dense + 24 * (2 * expert + router)  # one of 128 experts and the shared one
    assert counts.linear_flop_per_token(shape) == 2 * expected
