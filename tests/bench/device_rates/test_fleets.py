"""`fleet:WORKLOAD/MODEL`: the mean of measured units as the device of a block, with an interval that holds."""

import dataclasses

import numpy as np
import pytest
from doubles.fleets.store import miners, put, record

from bench.credentials import scrub_message
from bench.device_rates import resolve_rate
from hardware_profiles.errors import InputError

NAME = "fleet:sha256d_scan_asic/Bitmain Antminer S21"


@pytest.fixture
def store(tmp_path):
    return miners(tmp_path / "results", 12, rate_sd=0.02, power_sd=0.01, rng=np.random.default_rng(1), repeats=2)


def test_a_fleet_is_the_mean_of_its_units_with_their_spread(store):
    rate = resolve_rate(NAME, store=store)
    assert rate.rate_per_s == pytest.approx(2e14, rel=0.02)
    assert rate.power_w == pytest.approx(3500.0, rel=0.02)
    assert (rate.spread.rate.measured, rate.boundary, rate.power_basis) == (12, "wall", "measured")
    assert rate.spread.rate.spread_frac == pytest.approx(0.02, rel=0.5)
    assert "mean of 12 units, 24 results" in rate.source
    assert resolve_rate("fleet:sha256d_scan_asic/bitmain-antminer-s21", store=store).rate_per_s == rate.rate_per_s


def test_more_units_than_were_measured_widen_the_interval_and_the_measured_ones_alone_do_not(store):
    rate = resolve_rate(NAME, store=store)
    widths = []
    for units in (12, 24, 7831):
        low, high = rate.of_units(units).rate_interval_per_s
        widths.append((high - low) / rate.rate_per_s)
    assert widths[0] < widths[1] < widths[2]
    assert widths[0] < 0.2 * widths[2]


def test_the_interval_of_a_site_covers_its_mean_as_often_as_it_says(tmp_path):
    rng, site, covered = np.random.default_rng(5), 400, 0
    for at in range(100):
        rates = 1e14 * (1.0 + 0.02 * rng.standard_normal(site))
        measured = rng.choice(rates, 4, replace=False) * (1.0 + 0.001 * rng.standard_normal(4))
        store = put(tmp_path / f"{at}", *(
            record(i, unit=f"{i:08x}", rate=float(one), watts=3e3, kind="asic", workload="w", device="M", meter=f"m{i}")
            for i, one in enumerate(measured)
        ))  # fmt: skip
        low, high = resolve_rate("fleet:w/M", store=store).of_units(site).rate_interval_per_s
        covered += low <= rates.mean() <= high
    assert covered >= 88


def test_one_unit_has_no_spread(tmp_path):
    store = miners(tmp_path / "results", 1, rate_sd=0.0, power_sd=0.0, rng=np.random.default_rng(1))
    rate = resolve_rate(NAME, store=store)
    assert rate.spread is None
    assert rate.of_units(7831) is rate


def test_declared_watts_stay_declared(tmp_path):
    documents = [record(at, host=f"h{at}", rate=7e9 * (1.0 + 0.01 * at)) for at in range(3)]
    assumed = {"power_w": 65.0, "boundary": "wall", "source": "--watts"}
    store = put(tmp_path / "results", *({**one, "assumed_power_w": assumed} for one in documents))
    rate = resolve_rate("fleet:sha256d_scan_cpu/A CPU of 16 cores", store=store)
    assert (rate.power_w, rate.power_basis, rate.spread.power) == (65.0, "assumed", None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fleet:sha256d_scan_asic", "expected fleet:WORKLOAD/MODEL"),
        ("fleet:/S21", "expected fleet:WORKLOAD/MODEL"),
        ("fleet:sha256d_scan_asic/Bitmain Antminer S19", "a model with measured units (Bitmain Antminer S21)"),
        ("fleet:nothing/S21", "there are none"),
    ],
)
def test_what_is_no_fleet_is_refused(name, expected, store):
    with pytest.raises(InputError) as caught:
        resolve_rate(name, store=store)
    assert expected in str(caught.value)
    assert scrub_message(str(caught.value)) == str(caught.value)  # no part of a name looks like a password


def test_fleets_of_one_model_in_two_modes_are_told_apart_by_their_setting(tmp_path):
    documents = [
        record(at, unit=f"{at:08x}", rate=2e14 * (1.0 + at / 1000), watts=3500.0, kind="asic", workload="w", device="M",
               meter=f"m{at}", settings={"mode": "low" if at < 3 else "normal"})
        for at in range(6)
    ]  # fmt: skip
    store = put(tmp_path / "results", *documents)
    with pytest.raises(InputError, match="@mode=low; @mode=normal"):
        resolve_rate("fleet:w/M", store=store)
    assert resolve_rate("fleet:w/M@mode=low", store=store).spread.rate.measured == 3
    with pytest.raises(InputError, match="expected one of @mode=low; @mode=normal, got '@mode=high'"):
        resolve_rate("fleet:w/M@mode=high", store=store)
    only_low = put(tmp_path / "low", *documents[:3])
    with pytest.raises(InputError, match="expected no settings after the model, which has one fleet"):
        resolve_rate("fleet:w/M@mode=high", store=only_low)
    with pytest.raises(InputError, match="did you mean A Model"):
        resolve_rate(
            "fleet:w/A Mode",
            store=put(tmp_path / "other", record(1, unit="1", kind="asic", workload="w", device="A Model")),
        )


def test_a_stored_fleet_comes_back_as_it_was(store):
    from sites.planners.stored_inputs import _rate

    rate = resolve_rate(NAME, store=store)
    assert _rate(dataclasses.asdict(rate)) == rate


def tokens(number, host, phase, rate, watts):
    """Return the result of one phase of a language model's layers on a GPU."""
    of = record(number, host=host, kind="gpu", device="NVIDIA H100", unit=f"GPU-{host}", rate=rate, watts=watts,
                workload=f"llm_{phase}_bf16_cuda")  # fmt: skip
    metrics = of["metrics"]
    metrics["rate"]["unit"] = "token/s"
    energy = metrics.pop("energy_per_hash_wall") | {"unit": "J/token"}
    parameters = {
        "model": "llama-3.1-8b", "input": 100, "output": 50, "batch": 8, "dtype": "bf16", "lengths": "100:50",
        "token_basis": "input" if phase == "prefill" else "output", "latency_limit": "none (one batch after the other)",
    }  # fmt: skip
    return {
        **of,
        "run": {**of["run"], "run_id": f"run-of-{host}"},
        "workload": {**of["workload"], "unit": "token", "parameters": parameters},
        "metrics": {**metrics, "energy_per_token_wall": energy},
    }


def test_a_fleet_of_gpus_has_the_rate_of_answers_with_their_prompts(tmp_path):
    documents = []
    for at, rate in enumerate((1000.0, 1020.0, 980.0)):
        documents.append(tokens(2 * at, f"gpu{at}", "prefill", 20000.0, 600.0))
        documents.append(tokens(2 * at + 1, f"gpu{at}", "decode", rate, 500.0))
    store = put(tmp_path / "results", *documents)
    found = resolve_rate("fleet:llm_decode_bf16_cuda/NVIDIA H100", store=store)
    assert (found.unit, found.spread.rate.measured, found.power_basis) == ("token", 3, "measured")
    assert found.rate_per_s == pytest.approx(1.0 / (1.0 / 1000.0 + 2.0 / 20000.0), rel=0.01)
    assert found.spread.rate.spread_frac == pytest.approx(0.02 / 1.1, rel=0.05)
    assert found.tags.lengths == "100:50"
    assert found.of_units(512).rate_interval_per_s[1] > found.of_units(3).rate_interval_per_s[1]
    alone = put(tmp_path / "alone", *documents[:2])
    assert resolve_rate("fleet:llm_decode_bf16_cuda/nvidia h100", store=alone).spread is None
