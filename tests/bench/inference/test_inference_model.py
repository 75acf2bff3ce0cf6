"""The throughput model: what fits, what is refused, and how a rate moves with its causes."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.inference.accelerator import accelerator, slug_of
from bench.inference.engine import DOUBTFUL_FRAC, engine
from bench.inference.judged.holdout import holdout_of
from bench.inference.predict import best_within, plan_run, predict
from bench.inference.serving import Setup
from bench.inference.site.rate import device_rate
from hardware_profiles.errors import InputError
from kernels.llm.counts import precision
from kernels.llm.shapes import load


def setup(model="llama-3.1-8b", dtype="fp8", device="nvidia-h100-sxm", gpus=1):
    return Setup(load(model), precision(dtype), accelerator(device), gpus, engine())


def rate(made, input_len=1000, output_len=1000, **how):
    return predict(plan_run(made, input_len, output_len, **how)).tokens_per_s


def test_one_user_gets_tokens_no_faster_than_the_weights_can_be_read():
    made = setup()
    found = predict(plan_run(made, 128, 128, clients=1))
    weights_s = 8.0e9 / made.device.bandwidth_byte_per_s
    assert weights_s < found.tpot_s < 3 * weights_s
    assert found.tokens_per_s < found.tokens_per_s_per_user


def test_published_rate_of_llama_8b_on_an_h200_is_met_within_a_fifth():
    published = 17744  # TensorRT-LLM v1.0, fp8, 1000:1000, offline
    assert rate(setup(device="nvidia-h200"), requests=3000) == pytest.approx(published, rel=0.2)


def test_memory_for_keys_and_values_bounds_the_batch():
    made = setup()
    most = made.most_sequences(2000)
    free = made.device.memory_bytes - made.engine.reserved_bytes(made.device.memory_bytes) - 9.08e9
    assert most == pytest.approx(free * 0.95 / (2000 * 65536), rel=0.01)
    assert plan_run(made, 1000, 1000).batch == most


def test_a_batch_that_does_not_fit_names_the_largest_that_does_and_the_missing_memory():
    made = setup("llama-3.3-70b", gpus=2)
    most = made.most_sequences(6000)
    with pytest.raises(InputError, match=rf"batch: expected at most {most} sequences.*got 5000: .* GB more than"):
        made.check_batch(5000, 5000, 1000)
    made.check_batch(most, 5000, 1000)


def test_a_model_too_large_says_by_how_much_and_how_many_devices_hold_it():
    with pytest.raises(InputError, match=r"GB too large; no batch fits, not even 1; 8 of them would hold it"):
        setup("llama-3.1-405b", gpus=4)


def test_a_dtype_that_the_device_lacks_is_refused_with_those_it_has():
    with pytest.raises(InputError, match=r"dtype: expected one that the device computes in \(bf16.*got fp4"):
        setup(dtype="fp4")
    with pytest.raises(InputError, match="got fp8"):
        setup(dtype="fp8", device="nvidia-a100-sxm")


def test_a_context_longer_than_the_models_is_refused():
    with pytest.raises(InputError, match=r"expected at most 4096 tokens \(its context\), got 4000 \+ 100 = 4100"):
        plan_run(setup("llama-2-70b", gpus=2), 4000, 100)
    with pytest.raises(InputError, match="output: expected at least 1 token, got 0"):
        plan_run(setup(), 10, 0)


@pytest.mark.parametrize("gpus", [3, 7])
def test_shapes_that_do_not_divide_over_the_gpus_are_refused(gpus):
    with pytest.raises(InputError, match=rf"gpus: expected a divisor of heads = 32, got {gpus}"):
        setup(gpus=gpus)


def test_no_gpus_and_gpus_without_a_link_are_refused():
    with pytest.raises(InputError, match="gpus: expected at least 1, got 0"):
        setup(gpus=0)
    with pytest.raises(InputError, match="no link between these devices is known"):
        setup("llama-3.1-8b", device="nvidia-rtx-4090", gpus=2)


def test_a_miner_serves_no_model():
    with pytest.raises(InputError, match="kind: expected gpu"):
        accelerator("antminer-s21")


@given(st.integers(1, 4000), st.integers(1, 2000), st.integers(1, 64))
def test_latencies_and_rate_agree_for_clients_that_wait_for_nobody(input_len, output_len, clients):
    found = predict(plan_run(setup(), input_len, output_len, clients=clients))
    spent = found.ttft_s + (found.tpot_s or 0.0) * (output_len - 1)
    assert math.isfinite(spent)
    assert found.ttft_s > 0
    assert found.tokens_per_s == pytest.approx(clients * output_len / spent, rel=0.35)


def test_more_bandwidth_more_peak_and_less_overhead_never_slow_it_down():
    made = setup()
    base = rate(made, requests=2000)
    for change in ({"bandwidth_byte_per_s": 5e12}, {"peaks_flop_per_s": {"bf16": 2e15, "fp8": 4e15}}):
        faster = dataclasses.replace(made, device=dataclasses.replace(made.device, **change))
        assert rate(faster, requests=2000) > base
    lean = dataclasses.replace(made.engine, layer_overhead_s=1e-6)
    assert rate(dataclasses.replace(made, engine=lean), requests=2000) > base


def test_a_latency_limit_is_kept_and_costs_throughput():
    made = setup(device="nvidia-h200")
    free, bounded = best_within(made, 1000, 200), best_within(made, 1000, 200, tpot_limit_s=0.010)
    assert bounded.tpot_s <= 0.010 < free.tpot_s
    assert bounded.tokens_per_s < free.tokens_per_s
    assert bounded.tags.latency_limit == "TPOT <= 10 ms"
    with pytest.raises(InputError, match=r"latency limit: expected at least the latencies .*got TPOT <= 1 ms"):
        best_within(made, 1000, 200, tpot_limit_s=0.001)


def test_a_figure_leaves_with_five_tags_its_basis_and_the_hold_out_error():
    found = predict(plan_run(setup("llama-3.3-70b", device="nvidia-h200", gpus=2), 1000, 1000))
    given_out = device_rate(found)
    assert dataclasses.astuple(given_out.tags) == ("node", "modelled", "output", "1000:1000", "none (offline)")
    assert given_out.basis == given_out.power_basis == "modelled"
    assert "hold-out error" in given_out.source
    for (low, high), value in ((given_out.rate_interval_per_s, given_out.rate_per_s),
                               (given_out.power_interval_w, given_out.power_w)):  # fmt: skip
        assert low < value < high
    assert found.modelled_joules_per_token == pytest.approx(2 * given_out.power_w / found.tokens_per_s)


def test_the_provisioned_power_can_be_taken_instead_and_is_higher():
    found = predict(plan_run(setup("llama-3.3-70b", device="nvidia-h200", gpus=2), 1000, 1000))
    given_out = device_rate(found, provisioned=True)
    assert (given_out.tags.power_kind, given_out.power_basis) == ("provisioned", "rated")
    assert given_out.power_interval_w is None
    assert given_out.power_w == 1275 > device_rate(found).power_w
    assert found.joules_per_token == pytest.approx(2 * 1275 / found.tokens_per_s)


def test_a_figure_without_a_power_has_no_boundary_and_is_refused():
    made = setup()
    bare = dataclasses.replace(made, device=dataclasses.replace(made.device, power_w=None))
    found = predict(plan_run(bare, 100, 100, clients=2))
    assert found.joules_per_token is None
    with pytest.raises(InputError, match="power: expected a power"):
        device_rate(found)


def test_a_mixture_of_experts_carries_the_hold_out_error_of_mixtures():
    dense, mixture = holdout_of(setup()), holdout_of(setup("qwen3-30b-a3b", device="nvidia-h200"))
    assert dense.name.startswith("dense-")
    assert mixture.name.startswith("mixture-")
    assert 0.0 < dense.error_frac < mixture.error_frac < DOUBTFUL_FRAC
    assert not dense.is_doubtful
    assert not mixture.is_doubtful


def test_versions_of_tensorrt_llm_that_differ_in_two_constants_are_judged_together():
    made = setup("qwen3-30b-a3b", device="nvidia-h200")
    newer = dataclasses.replace(made, engine=engine("trtllm-2026"))
    assert holdout_of(made) == holdout_of(newer)
    fields = ("host_s_per_sequence", "blackwell_start_ratio", "name", "title", "fitted_on")
    same = {name: getattr(made.engine, name) for name in fields}
    assert dataclasses.replace(newer.engine, **same) == made.engine


@pytest.mark.parametrize("device", ["nvidia-l40s", "amd-instinct-mi300x"])
def test_a_class_that_no_published_row_judges_is_doubtful(device):
    found = holdout_of(setup(device=device))
    assert found.rows == 0
    assert found.is_doubtful
    assert predict(plan_run(setup(device=device), 100, 100, clients=2)).warning.endswith("judges the model")


def test_a_class_of_models_is_marked_and_refused_where_plans_are_made():
    made = dataclasses.replace(setup(device="nvidia-h200"), engine=engine("sglang"))
    found = predict(plan_run(made, 1000, 1000, clients=8))
    assert "dense-sglang: on 14 published rows the model was wrong by" in found.warning
    with pytest.raises(InputError, match=r"rate: expected a class that is modelled to within 25%.*dense-sglang"):
        device_rate(found)
    assert predict(plan_run(setup(), 1000, 1000, clients=8)).warning is None


def test_a_step_is_never_quicker_than_the_host_that_hands_out_its_tokens():
    made = setup(device="nvidia-b200", dtype="fp4")
    idle = dataclasses.replace(made, engine=dataclasses.replace(made.engine, host_s_per_sequence=0.0))
    bound = 1.0 / made.engine.host_s_per_sequence
    assert rate(made, 128, 128) <= bound < rate(idle, 128, 128)
    assert rate(made, 5000, 500) == pytest.approx(rate(idle, 5000, 500), rel=0.01)


def test_an_unknown_engine_is_named():
    with pytest.raises(
        InputError, match="engine: expected one of trtllm, vllm-sync, vllm, sglang, trtllm-2026, got 'mlc'"
    ):
        engine("mlc")


def test_graphs_pad_to_the_published_sizes_and_no_further_than_the_batch_limit():
    constants = engine()
    decoding = np.array([1.0, 3.0, 100.0, 129.0, 512.0, 513.0, 640.0, 641.0])
    assert constants.padded(decoding, 640).tolist() == [1, 4, 128, 256, 512, 640, 640, 641]


def test_offline_limits_follow_the_engines_own_sizing():
    limits = engine().offline_limits(495.4, 128, 2048)
    assert (limits.batch, limits.tokens) == (512, 2048)
    assert engine().offline_limits(9000, 128, 128).tokens == 8192
    assert engine().offline_limits(10, 20000, 2000).batch == 64


@pytest.mark.parametrize(
    ("published", "slug"),
    [
        ("H100 SXM 80GB", "nvidia-h100-sxm"), ("H100 80GB", "nvidia-h100-sxm"),
        ("NVIDIA H100 PCIe", "nvidia-h100-pcie"),
        ("NVIDIA H200-SXM-141GB", "nvidia-h200"), ("NVIDIA B200-SXM-180GB", "nvidia-b200"),
        ("GB200 192GB", "nvidia-gb200"), ("RTX 6000 Pro Blackwell Server Edition", "nvidia-rtx-pro-6000-blackwell"),
        ("Instinct MI300X", "amd-instinct-mi300x"), ("GH200 480GB", None), ("TPU v5e", None), ("H800", None),
    ],
)  # fmt: skip
def test_publishers_names_of_gpus_find_the_catalogues(published, slug):
    assert slug_of(published) == slug


def test_shards_share_weights_and_pay_for_their_link():
    one, two = setup("llama-3.1-8b"), setup("llama-3.1-8b", gpus=2)
    alone, together = rate(one, clients=8), rate(two, clients=8)
    assert alone < together < 2 * alone
    slow = dataclasses.replace(two, device=dataclasses.replace(two.device, link_byte_per_s=10e9))
    assert rate(slow, clients=8) < together
