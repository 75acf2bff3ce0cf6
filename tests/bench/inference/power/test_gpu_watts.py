"""The watts of a GPU: between no work and its limit, with the load, and the errors on published rows."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.inference.accelerator import accelerator
from bench.inference.columns.division import flagged
from bench.inference.power.activity import Activity, Load, activity
from bench.inference.power.classes import Served
from bench.inference.power.fit import fit_all, fitted_rows, held_out, holdout
from bench.inference.power.gpu import OWN, SHARED, families, family_of, gpu_watts
from bench.inference.power.rows import watt_rows
from bench.inference.predict import plan_run, predict
from bench.inference.published import DATA, MEASURED, MORE, read_rows
from bench.inference.rates import make_setup
from bench.inference.site.rate import DEVIATIONS
from hardware_profiles.errors import InputError
from kernels.llm.counts import precision
from kernels.llm.shapes import load

FRACTIONS = st.floats(0.0, 1.0)
WIDTHS = st.floats(0.0, 1e9)


def does(model="llama-3.1-8b", dtype="bf16", device="nvidia-h100-sxm", gpus=1, **changes):
    asked = Load(tokens_per_s=1000.0, sequences=8.0, input_len=250.0, output_len=400.0, context=450.0)
    return activity(
        Served(load(model), precision(dtype), "vllm"), accelerator(device), gpus, dataclasses.replace(asked, **changes)
    )


@pytest.fixture(scope="module")
def rows():
    files = (MEASURED, MORE, DATA / "measured_2026_blind.csv")
    return watt_rows([row for file in files for row in flagged(read_rows(file))])


@pytest.fixture(scope="module")
def others(rows):
    return held_out(rows)


def known():
    """Return the families with published watts."""
    return [family for family in families().values() if family.estimate_ln is None]


def is_of(row, family, model_class):
    return (row.family.name, row.model_class) == (family, model_class)


@given(memory=FRACTIONS, product=FRACTIONS, width=WIDTHS)
def test_watts_lie_between_no_work_and_the_limit(memory, product, width):
    share = max(1.0, memory + product)
    for family in families().values():
        watts = gpu_watts(family, 700.0, Activity(memory / share, product / share, width))
        assert 700.0 * family.idle_frac - 1e-9 <= watts <= 700.0 + 1e-9


def test_products_at_the_sustained_rate_draw_what_the_limit_allows():
    hopper = families()["hopper"]
    assert gpu_watts(hopper, 700.0, Activity(0.0, 1.0, 0.0)) == pytest.approx(0.97 * 700.0)
    assert gpu_watts(hopper, 700.0, Activity(0.0, 0.0, 0.0)) == pytest.approx(700.0 * hopper.idle_frac)


def test_the_activity_of_a_dense_model_is_counted_by_hand():
    """One sequence at 100 tokens/s reads 16 GB of weights and head 100 times a second."""
    found = does(tokens_per_s=100.0, sequences=1.0, input_len=1.0, output_len=1000.0, context=500.0)
    matrices = 32 * (4096 * (4096 + 2 * 1024) + 4096 * 4096 + 3 * 4096 * 14336) + 128256 * 4096
    cache = 500 * 2 * 32 * 1024 * 2
    assert found.memory_frac == pytest.approx(100 * (2 * matrices + cache) / (3.35e12 * 0.9), rel=1e-3)
    assert found.product_frac == pytest.approx(100 * 2 * matrices / (989.4e12 * 0.803), rel=2e-2)
    assert found.width == pytest.approx(4096.0, rel=2e-3)


def test_a_gpu_that_waits_for_others_draws_less_and_one_alone_never_waits():
    hopper = families()["hopper"]
    alone, shared = (does("llama-3.3-70b", gpus=gpus, tokens_per_s=400.0) for gpus in (1, 4))
    steps_per_s, latency_s = 400 / 8, 2 * 80 * 10e-6  # of two all-reduces in each layer
    assert alone.link_frac == 0.0
    assert shared.link_frac == pytest.approx(steps_per_s * latency_s, rel=0.2)
    busy = dataclasses.replace(shared, link_frac=0.0)
    assert gpu_watts(hopper, 700.0, shared) < gpu_watts(hopper, 700.0, busy)


def test_a_gpu_that_waits_for_the_host_draws_less():
    """A step that is later than modelled waits for all of that time, and the host's own time in part."""
    hopper = families()["hopper"]
    ready, host, late = (Activity(0.3, 0.0, 1e9, **waits) for waits in ({}, {"host_frac": 0.5}, {"late_frac": 0.5}))
    ready_w, host_w, late_w = (gpu_watts(hopper, 700.0, one) for one in (ready, host, late))
    range_w = 700.0 * (1.0 - hopper.idle_frac)
    assert ready_w == pytest.approx(0.97 * 700.0)
    assert late_w == pytest.approx(700.0 * hopper.idle_frac + 0.5 * range_w, rel=0.01)
    assert late_w < host_w < ready_w


def test_rows_that_only_fill_tiles_draw_less_than_those_that_compute():
    hopper = families()["hopper"]
    filled, computed = Activity(0.3, 0.0, 0.0, padding_frac=0.2), Activity(0.3, 0.2, 0.0)
    assert gpu_watts(hopper, 700.0, Activity(0.3, 0.0, 0.0)) < gpu_watts(hopper, 700.0, filled)
    assert gpu_watts(hopper, 700.0, filled) < gpu_watts(hopper, 700.0, computed)


def test_shares_above_one_are_scaled_to_one():
    found = does(tokens_per_s=1e6)
    assert found.memory_frac + found.product_frac == pytest.approx(1.0)


def test_the_experts_of_a_mixture_compute_whole_tiles():
    """With one row or two an expert, tiles of 64 rows are filled up; with 256 rows there is hardly anything to fill."""
    few, many = (does("qwen3-30b-a3b", sequences=float(batch), tokens_per_s=100.0) for batch in (8, 4096))
    assert few.product_frac == pytest.approx(many.product_frac, rel=1e-6)
    assert few.padding_frac > 10 * few.product_frac
    assert many.padding_frac < many.product_frac


def test_kernels_of_four_bit_weights_fill_narrow_tiles_on_blackwell_alone():
    """A token an expert fills 7 rows of 8, or 63 of 64."""
    asked = {"dtype": "mxfp4", "sequences": 1.0, "tokens_per_s": 100.0}
    hopper = does("gpt-oss-120b", device="nvidia-h100-sxm", **asked)
    blackwell = does("gpt-oss-120b", device="nvidia-b200", **asked)
    peaks = [accelerator(device).peaks_flop_per_s["bf16"] for device in ("nvidia-h100-sxm", "nvidia-b200")]
    assert hopper.padding_frac * peaks[0] / (blackwell.padding_frac * peaks[1]) == pytest.approx(63 / 7)


def test_a_model_over_two_gpus_halves_the_work_of_each():
    one, two = does(), does(gpus=2)
    assert two.memory_frac == pytest.approx(one.memory_frac / 2, rel=1e-6)
    assert two.product_frac == pytest.approx(one.product_frac / 2, rel=1e-6)


def test_the_constants_are_those_of_the_fit_on_the_named_rows(rows):
    refitted = fit_all(families(), rows)
    assert refitted["cdna3"] == families()["cdna3"]  # an estimate
    for family in known():
        fitted = refitted[family.name]
        for key in (*OWN, *SHARED):
            assert getattr(fitted, key) == pytest.approx(getattr(family, key), rel=1e-2), (family.name, key)


def test_a_family_is_fitted_on_five_models_without_a_flag_or_attention_in_chunks(rows):
    for family in known():
        fitted = [row for row in fitted_rows(rows) if row.family.name == family.name]
        assert len({row.shape.name for row in fitted}) >= 5
        assert {row.model_class for row in fitted} == {"dense", "mixture", "vllm-mixture-fp8"}
        assert all(row.row.flag is None for row in fitted)


@pytest.mark.parametrize("name", ["hopper", "blackwell"])
def test_rows_that_were_not_fitted_are_within_the_goal_of_a_tenth(others, name):
    for model_class in ("dense", "mixture", "vllm-mixture-fp8"):
        found = holdout([row.ln_error(fitted) for row, fitted in others if is_of(row, name, model_class)])
        assert found.error_frac <= 0.10, model_class


def test_rows_that_waited_for_the_host_are_met_though_they_are_not_fitted(rows):
    """The flagged rows of B200 were stated a quarter too high before waiting was counted."""
    flagged_rows = [row for row in rows if row.row.flag is not None and row.family.name == "blackwell"]
    assert len(flagged_rows) > 70
    assert holdout([row.ln_error() for row in flagged_rows]).error_frac < 0.10


@pytest.mark.parametrize("name", ["hopper", "blackwell"])
def test_the_errors_on_rows_that_were_not_fitted_are_those_of_the_data_file(others, name):
    family = families()[name]
    for model_class, stated in family.holdouts.items():
        found = holdout([row.planned_ln_error(fitted) for row, fitted in others if is_of(row, name, model_class)])
        assert dataclasses.astuple(found) == pytest.approx(dataclasses.astuple(stated), abs=1e-3)


@pytest.mark.parametrize("name", ["hopper", "blackwell"])
def test_nine_rows_of_ten_lie_within_the_interval_that_sites_get(others, name):
    family = families()[name]
    inside = [
        abs(math.expm1(-row.planned_ln_error(fitted)))
        <= math.expm1(DEVIATIONS * family.holdouts[row.model_class].rms_ln)
        for row, fitted in others
        if is_of(row, name, row.model_class) and row.model_class in family.holdouts
    ]
    assert sum(inside) >= 0.9 * len(inside)


def test_the_watts_of_a_class_are_stated_only_from_rows_of_its_kernels():
    """Mixtures in fp8 differ by engine and attention; attention in chunks is off by 28 %."""
    hopper, blackwell = (families()[name] for name in ("hopper", "blackwell"))

    def served(model, dtype, engine="vllm"):
        return Served(load(model), precision(dtype), engine)

    for family in (hopper, blackwell):
        assert not family.holdout(served("qwen3-235b-a22b", "bf16", "trtllm")).is_doubtful
        assert not family.holdout(served("qwen3-235b-a22b", "fp8")).is_doubtful
        assert family.holdout(served("qwen3-235b-a22b", "nvfp4")) is None
    assert hopper.holdout(served("qwen3-235b-a22b", "fp8", "sglang")) is None
    assert hopper.holdout(served("deepseek-v3", "fp8")) is None
    assert not blackwell.holdout(served("deepseek-v3", "fp8")).is_doubtful
    assert hopper.holdout(served("llama-4-scout", "bf16")).is_doubtful


def test_grouped_kernels_of_fp8_draw_the_same_at_every_batch_but_for_the_starts_of_kernels():
    """A step of 94 layers with 55 us of starts each, 20 times a second, spends 10 % in them."""
    hopper = families()["hopper"]
    wide, narrow = (
        does("qwen3-235b-a22b", dtype, gpus=4, tokens_per_s=160.0, sequences=8.0) for dtype in ("bf16", "fp8")
    )
    assert wide.start_frac is None
    assert narrow.start_frac == pytest.approx(160.0 / 8.0 * 94 * 55e-6)
    alone = Activity(0.0, 0.0, 0.0, start_frac=0.25)
    used = (gpu_watts(hopper, 700.0, alone) / 700.0 - hopper.idle_frac) / (1.0 - hopper.idle_frac)
    assert used == pytest.approx(0.75 * hopper.grouped_frac)


def test_a_device_without_published_watts_has_no_family():
    assert family_of("nvidia-l40s") is None


def test_mi300x_has_an_estimate_between_its_idle_and_its_limit_with_a_wide_spread():
    """A server of eight drew 6.5 to 7.6 kW for Qwen3 235B in fp8 (metrum.ai, March 2026), its lengths unpublished."""
    setup = make_setup("qwen3-235b-a22b", "fp8", "amd-instinct-mi300x", 8, "vllm")
    few, many = (predict(plan_run(setup, 1000, 1000, clients=clients)).watts for clients in (1, 512))
    assert few.is_estimate
    assert many.is_estimate
    assert 191.0 < few.gpu_w < many.gpu_w <= 0.97 * 750.0
    assert few.holdout.rows == 0
    assert few.node_rms_ln > 2 * families()["hopper"].holdouts["mixture"].rms_ln
    spread = math.exp(2 * few.node_rms_ln)
    assert 8 * few.node_w / spread < 6500.0
    assert 8 * many.node_w * spread > 7600.0


def test_an_estimate_is_not_limited():
    setup = make_setup("qwen3-235b-a22b", "fp8", "amd-instinct-mi300x", 8, "vllm")
    with pytest.raises(InputError, match="power cap: expected a device whose watts are modelled"):
        predict(plan_run(setup, 1000, 1000, clients=8), cap_w=400.0)
