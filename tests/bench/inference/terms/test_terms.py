"""The terms of a step: how each moves with what it counts."""

import dataclasses

import numpy as np
import pytest

from bench.inference.accelerator import accelerator
from bench.inference.batching import Limits, trace_steps
from bench.inference.engine import engine
from bench.inference.predict import plan_run, predict
from bench.inference.rates import make_setup
from bench.inference.serving import Setup, served_precision
from bench.inference.step_cost import Padding, mixed_tokens
from bench.inference.terms.family import family_of
from bench.inference.terms.fixed import collectives_seconds, decode_pieces_seconds, mixed_seconds, starts_seconds
from bench.inference.terms.products import draft_seconds, head_seconds, tokens_seconds
from hardware_profiles.errors import InputError
from kernels.llm.shapes import load

TOKENS = np.array([1.0, 8.0, 64.0, 512.0])


def made(model="qwen3-235b-a22b", dtype="fp8", gpus=8, device="nvidia-h200", **more):
    serving = engine("vllm-sync")
    return Setup(load(model), served_precision(dtype, serving), accelerator(device), gpus, serving, **more)


def seconds(setup, **changes):
    return tokens_seconds(setup, dataclasses.replace(setup.constants, **changes), TOKENS)


def test_the_busiest_gpu_with_whole_experts_holds_up_the_others():
    whole, cut = made(dtype="bf16", expert=8), made(dtype="bf16")
    assert np.all(seconds(whole, grouped_depth=0.0) > seconds(cut, grouped_depth=0.0))
    even, uneven = (seconds(whole, popularity=value, routed_passes=0.0) for value in (0.05, 1.5))
    assert uneven[-1] > even[-1]


def test_whole_experts_in_fp8_are_all_read_and_take_all_rows_but_those_of_models_with_latents():
    setup = made(expert=8)
    everything, used = (seconds(setup, all_experts=kept, routed_passes=0.0) for kept in (True, False))
    assert everything[0] > 3 * used[0]
    held_s = 16 * 3 * 4096 * 1536 * 94 / (setup.device.bandwidth_byte_per_s * setup.constants.memory_frac)
    assert everything[0] > held_s
    latent = made("deepseek-v3", expert=8)
    assert np.all(seconds(latent, all_experts=True) == seconds(latent, all_experts=False))


def test_products_of_narrow_experts_are_slower():
    wide, narrow = (made("qwen3-30b-a3b", dtype="bf16", gpus=gpus) for gpus in (1, 2))
    slower = [seconds(one, grouped_depth=500.0) / seconds(one, grouped_depth=0.0) for one in (wide, narrow)]
    assert np.all(slower[0] > 1.0)
    assert slower[1][-1] > slower[0][-1]


def test_small_tiles_of_experts_load_their_operands_for_few_rows():
    setup = made("qwen3-30b-a3b", dtype="bf16", gpus=1)
    slower = seconds(setup, grouped_tile=64.0) / seconds(setup, grouped_tile=0.0)
    assert np.all(slower >= 1.0)
    many = np.array([8192.0, 32768.0])
    kept = {"popularity": 0.05, "routed_passes": 0.0, "grouped_frac": dict.fromkeys(setup.constants.grouped_frac, 1e-3)}
    times = [
        tokens_seconds(setup, dataclasses.replace(setup.constants, grouped_tile=tile, **kept), many)
        for tile in (0.0, 64.0)
    ]
    assert times[1] / times[0] == pytest.approx(1.0 + 64.0 / 128.0, rel=0.02)  # tiles of 128 rows


@pytest.mark.parametrize(("name", "in_pieces"), [("vllm-sync", True), ("vllm", True), ("sglang", False)])
def test_steps_of_attention_in_chunks_are_started_in_pieces_by_vllm(name, in_pieces):
    chunked, windowed = (
        Setup(load(model), served_precision(dtype, engine(name)), accelerator("nvidia-h100-sxm"), 8, engine(name))
        for model, dtype in (("llama-4-scout", "bf16"), ("gpt-oss-120b", "mxfp4"))
    )
    assert (decode_pieces_seconds(chunked, chunked.constants) > 0.0) == in_pieces
    assert decode_pieces_seconds(windowed, windowed.constants) == 0.0


def test_steps_that_read_prompts_wait_for_recurrent_layers_that_no_graph_starts():
    setup = made("nemotron-nano-9b-v2", dtype="bf16", gpus=1)
    without = dataclasses.replace(setup.constants, mixed_recurrent_layer_s=0.0)
    more = mixed_seconds(setup, setup.constants) - mixed_seconds(setup, without)
    assert more == pytest.approx(27 * setup.constants.mixed_recurrent_layer_s)
    assert starts_seconds(setup, setup.constants) > starts_seconds(
        setup, dataclasses.replace(setup.constants, recurrent_layer_s=0.0)
    )


def test_all_copies_of_attention_wait_for_the_one_that_reads_most_of_the_prompts():
    trace = trace_steps(800, 50, 64, Limits(64, 8192), 16)
    columns = trace.columns()
    padding = Padding(8, 8 * 8192)
    alone, eight = (mixed_tokens(columns, 1, rule) for rule in (None, padding))
    assert np.array_equal(alone, columns.decoding + columns.prompt)
    reads = columns.prompt > 0
    assert np.all(eight[reads] > alone[reads])
    assert np.all(eight <= columns.decoding + 8 * columns.prompt)
    few = dataclasses.replace(columns, outputs=columns.decoding + 1)
    many = dataclasses.replace(columns, outputs=columns.decoding + 400)
    assert np.all(mixed_tokens(few, 1, padding)[reads] > mixed_tokens(many, 1, padding)[reads])
    assert np.all(mixed_tokens(few, 1, Padding(8, 1000)) <= np.maximum(alone, columns.decoding + 1000))


def test_a_models_own_layer_for_further_tokens_takes_its_time():
    setup = dataclasses.replace(made("deepseek-v3", expert=8), drafted=2, accepted=1.5)
    one, two = (
        draft_seconds(dataclasses.replace(setup, drafted=drafted, accepted=1.0), setup.constants, TOKENS)
        for drafted in (1, 2)
    )
    assert two == pytest.approx(2 * one)
    head = head_seconds(setup, setup.constants, TOKENS)
    assert np.all(one > head)
    assert np.all(one < head + seconds(setup) / 10 + 1e-3)
    plain = made("llama-3.1-8b", gpus=1)
    assert np.all(draft_seconds(dataclasses.replace(plain, drafted=2), plain.constants, TOKENS) == 0.0)


def test_few_tokens_use_fewer_experts_where_some_are_popular():
    even, uneven = (seconds(made(), popularity=value) for value in (0.05, 1.5))
    assert np.all(uneven[1:] < even[1:])
    assert uneven[0] == pytest.approx(even[0], rel=0.15)


def test_all_experts_are_read_once_by_many_tokens_and_no_more():
    setup = made(gpus=8)
    many = np.array([1e5, 2e5])
    kept = {"grouped_frac": dict.fromkeys(setup.constants.grouped_frac, 1e9), "product_frac": 1e9, "routed_passes": 0.0}
    first, second = tokens_seconds(setup, dataclasses.replace(setup.constants, **kept), many)
    only = tokens_seconds(setup, dataclasses.replace(setup.constants, **kept), np.array([1e5]))
    assert first == only[0]
    assert second < 2 * first


def test_copies_of_attention_share_the_tokens_and_read_their_own_weights():
    few, many = np.array([8.0]), np.array([8192.0])
    tensor, data = made("qwen3-32b", gpus=4, dtype="bf16"), made("qwen3-32b", gpus=4, dtype="bf16", data=4)
    assert tokens_seconds(data, data.constants, few)[0] > 3 * tokens_seconds(tensor, tensor.constants, few)[0]
    assert tokens_seconds(data, data.constants, many)[0] < 1.5 * tokens_seconds(tensor, tensor.constants, many)[0]
    assert data.weight_bytes == pytest.approx(4 * tensor.weight_bytes)
    assert data.kv_memory_bytes < tensor.kv_memory_bytes


def test_an_all_reduce_grows_with_shards_tokens_and_blocks():
    two, eight = (collectives_seconds(made(gpus=gpus), made(gpus=gpus).constants, TOKENS) for gpus in (2, 8))
    assert np.all(eight > two)
    assert np.all(np.diff(eight) > 0)
    one = made("llama-3.1-8b", gpus=1)
    assert np.all(collectives_seconds(one, one.constants, TOKENS) == 0.0)
    apart = made(data=8, expert=8)
    assert np.all(collectives_seconds(apart, apart.constants, TOKENS) > 0.0)


def test_experts_latents_and_narrow_activations_have_fixed_times_of_their_own():
    for model, key in (("qwen3-235b-a22b", "expert_layer_s"), ("deepseek-v3", "latent_layer_s"),
                       ("llama-3.1-8b", "narrow_layer_s")):  # fmt: skip
        setup = made(model, gpus=1 if model == "llama-3.1-8b" else 8)
        without = dataclasses.replace(setup.constants, **{key: 0.0})
        assert starts_seconds(setup, setup.constants) > starts_seconds(setup, without)
    dense = made("llama-3.1-8b", dtype="bf16", gpus=1)
    without = dataclasses.replace(dense.constants, narrow_layer_s=0.0, expert_layer_s=0.0, latent_layer_s=0.0)
    assert starts_seconds(dense, dense.constants) == starts_seconds(dense, without)


def test_an_engine_that_overlaps_its_host_is_faster_by_the_time_of_the_host():
    before, since = (make_setup("llama-3.1-8b", "bf16", "nvidia-h200", 1, name) for name in ("vllm-sync", "vllm"))
    slow, fast = (predict(plan_run(setup, 500, 500, clients=8)).tpot_s for setup in (before, since))
    host_s = before.engine.host_s_per_step + 8 * before.engine.host_s_per_sequence
    assert slow - fast == pytest.approx(host_s, rel=0.01)


def test_drafts_that_are_accepted_pay_and_those_that_are_not_cost():
    setup = make_setup("llama-3.3-70b", "fp8", "nvidia-h200", 2, "sglang")

    def rate(drafted, accepted):
        tried = dataclasses.replace(setup, drafted=drafted, accepted=accepted)
        return predict(plan_run(tried, 500, 500, clients=4)).tokens_per_s

    assert rate(3, 0.0) < rate(0, 0.0) < rate(3, 2.0)
    assert rate(3, 2.0) < 3 * rate(0, 0.0)


def test_prompts_that_are_in_the_cache_save_their_time():
    setup = make_setup("llama-3.3-70b", "fp8", "nvidia-h200", 2)
    hit = dataclasses.replace(setup, hit_frac=0.9)
    first, second = (predict(plan_run(one, 4000, 100, clients=16)) for one in (setup, hit))
    assert second.tokens_per_s > 2 * first.tokens_per_s
    assert second.ttft_s < first.ttft_s


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expert": 3}, "expert: expected a divisor of 8 GPUs, got 3"),
        ({"data": 0}, "data: expected a divisor of 8 GPUs, got 0"),
        ({"accepted": 1.0}, "accepted: expected 0 to 0 drafted tokens, got 1.0"),
        ({"hit_frac": 1.0}, "hit_frac: expected at least 0 and below 1, got 1.0"),
    ],
)
def test_a_parallelism_or_a_share_out_of_range_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        made(**changes)


def test_an_engines_name_ends_in_its_shards():
    setup = make_setup("qwen3-235b-a22b", "fp8", "nvidia-h200", 8, "vllm-sync-dp8-ep8")
    assert (setup.engine.name, setup.expert, setup.data, setup.tensor) == ("vllm-sync", 8, 8, 1)
    assert setup.kind.kv == 2.0
    with pytest.raises(InputError, match="engine: expected one of trtllm"):
        make_setup("llama-3.1-8b", "fp8", "nvidia-h200", 1, "vllm-xp8")


def test_a_gpu_of_no_family_takes_the_constants_of_another_and_says_so():
    assert family_of("nvidia-h200").name == "hopper"
    other = family_of("nvidia-l40s")
    assert other.name == "other"
    assert dataclasses.replace(other, name="hopper") == family_of("nvidia-h200")
