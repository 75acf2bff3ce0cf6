"""Modelled rates by name: power limits, their curve in a site, and the provisioned power."""

import math

import pytest

from bench.device_rates import resolve_device, resolve_rate
from hardware_profiles.errors import InputError
from sites.operating_points import LATENCIES, OperatingCurve, serving_curve

LOAD = "llm:llama-3.1-8b:fp8:nvidia-h200:1000:1000:64"
OPEN = "llm:llama-3.1-8b:fp8:nvidia-h200:1000:100"


@pytest.fixture(scope="module")
def free():
    return resolve_rate(LOAD)


def test_a_power_limit_in_the_name_costs_rate_and_saves_more_watts(free):
    capped = resolve_rate(f"{LOAD}@300W")
    assert "GPU limited to 300 W" in capped.source
    assert capped.rate_per_s < free.rate_per_s
    assert capped.power_w < free.power_w
    assert capped.tpot_s == pytest.approx(free.tpot_s * free.rate_per_s / capped.rate_per_s)


def test_the_curve_of_power_limits_rises_to_the_point_without_a_limit(free):
    curve = resolve_device(f"{LOAD}@caps")
    assert isinstance(curve, OperatingCurve)
    rates = [point.rate.rate_per_s for point in curve.points]
    watts = [point.rate.power_w for point in curve.points]
    assert rates == sorted(rates)
    assert watts == sorted(watts)
    assert rates[-1] == pytest.approx(free.rate_per_s)
    assert watts[-1] == pytest.approx(free.power_w)


def test_a_lightly_loaded_gpu_has_a_curve_down_to_its_lowest_clock():
    curve = resolve_device("llm:llama-3.1-8b:fp4:nvidia-b200:100:100:1@caps")
    assert len({point.rate.power_w for point in curve.points}) == len(curve.points)


def test_a_site_uses_the_curve_under_a_limit_of_the_time_per_token(free):
    curve = resolve_device(f"{LOAD}@caps")
    rate, served = serving_curve(curve, {"tpot_q50": 1.001 * free.tpot_s}, idle_frac=0.2)
    assert rate.rate_per_s == pytest.approx(free.rate_per_s)
    assert len(served.used) == 1
    assert all("tpot q50" in why for why in served.left_out)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (f"{LOAD}@300", "expected llm:.*@WATTS of each GPU"),
        (f"{LOAD}@20W", r"power cap: expected \d+ to 700 W a GPU at this load, got 20"),
        (f"{OPEN}:x/s", "requests/s above 0"),
        (f"{OPEN}:500/s", r"expected less than the [\d.]+ requests/s"),
        (f"{OPEN}:all/s@caps", "with one rate .* for @caps"),
        ("llm:llama-3.1-8b:fp8:amd-instinct-mi300x:100:100:1/s@caps", "a device whose watts are modelled, for @caps"),
        (f"{LOAD}~", "the id of a result after ~"),
        ("llm:llama-3.1-8b:fp8:amd-instinct-mi300x:1000:1000:64@500W", "a device whose watts are modelled"),
        ("llm:llama-3.1-8b:fp8:amd-instinct-mi300x:1000:1000:64@caps", "a device whose watts are modelled, for @caps"),
    ],
)
def test_a_power_that_cannot_be_modelled_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        resolve_device(name)


def test_power_limits_at_one_rate_of_requests_serve_the_same_tokens_later_with_fewer_watts():
    curve = resolve_device("llm:llama-3.3-70b:fp8:nvidia-h200x2:1000:1000:4/s@caps")
    free = resolve_device("llm:llama-3.3-70b:fp8:nvidia-h200x2:1000:1000:4/s").points[0]
    watts = [point.rate.power_w for point in curve.points]
    late_s = [point.latency_s["tpot_q99"] for point in curve.points]
    assert len(curve.points) > 3
    assert {point.rate.rate_per_s for point in curve.points} == {free.rate.rate_per_s}
    assert watts == sorted(watts)
    assert late_s == sorted(late_s, reverse=True)
    assert (watts[-1], late_s[-1]) == (free.rate.power_w, free.latency_s["tpot_q99"])
    assert "at 350 W a GPU: rate of llama-3.3-70b on 2 x nvidia-h200: expected less than" in curve.invalid[0]
    # a site takes the lowest limit whose latencies it may have
    limit_s = 1.01 * late_s[1]
    rate, served = serving_curve(curve, {"tpot_q99": limit_s}, idle_frac=0.2)
    assert served.used[-1].load == curve.points[1].load
    assert rate.rate_per_s == free.rate.rate_per_s


def test_a_power_limit_above_what_a_lone_request_draws_is_no_point():
    curve = resolve_device("llm:llama-3.1-8b:fp8:nvidia-h200:1000:1000:6/s@caps")
    loads = [point.load for point in curve.points]
    assert loads[-1] == "6 requests/s without a lower limit"
    assert not any("650 W" in load or "600 W" in load for load in loads)


def test_a_rate_of_requests_gives_rate_watts_and_quantiles_of_one_point():
    (point,) = resolve_device(f"{OPEN}:20/s").points
    (capped,) = resolve_device(f"{OPEN}:20/s@400W").points
    assert point.rate.rate_per_s == pytest.approx(2000.0)
    assert set(point.latency_s) == set(LATENCIES)
    assert point.rate.tags.latency_limit == "none (open loop, 20 requests/s)"
    assert point.rate.power_interval_w[0] < point.rate.power_w < point.rate.power_interval_w[1]
    assert capped.rate.power_w < point.rate.power_w
    assert all(capped.latency_s[name] > point.latency_s[name] for name in LATENCIES)


def test_all_rates_are_a_curve_of_which_a_site_uses_those_within_its_limit():
    curve = resolve_device(f"{OPEN}:all/s")
    assert len(curve.points) == 9
    limit_s = curve.points[5].latency_s["ttft_q99"]
    rate, served = serving_curve(curve, {"ttft_q99": limit_s}, idle_frac=0.2)
    assert rate.rate_per_s == curve.points[5].rate.rate_per_s
    assert len(served.used) + len(served.left_out) == 9


def test_a_curve_is_not_one_operating_point():
    with pytest.raises(InputError, match="one operating point, without @caps or a rate"):
        resolve_rate(f"{LOAD}@caps")


def test_a_device_without_published_watts_has_its_provisioned_power():
    found = resolve_rate("llm:llama-3.1-8b:fp8:nvidia-rtx-pro-6000-blackwell:1000:1000:64")
    assert (found.tags.power_kind, found.power_basis) == ("provisioned", "rated")
    assert found == resolve_rate("llm:llama-3.1-8b:fp8:nvidia-rtx-pro-6000-blackwell:1000:1000:64@provisioned")


def test_the_interval_of_the_watts_is_two_deviations_of_gpu_and_node_errors_together(free):
    _, high = free.power_interval_w
    deviation = math.log(high / free.power_w) / 2.0
    from bench.inference.power.gpu import families
    from bench.inference.power.node import node_rms_ln

    assert deviation == pytest.approx(math.hypot(families()["hopper"].holdouts["dense"].rms_ln, node_rms_ln()))
