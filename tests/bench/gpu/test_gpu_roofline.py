"""Rooflines and the scan's bound: the slowest pipe counts, whatever was moved where; counts are counted again."""

import dataclasses
import math

import pytest

from bench.gpu.job import ratios
from bench.measure.runner import measure
from bench.measure.summary import bound_metrics
from bench.results.record import Metric, Reason
from bench.workloads.protocol import BoundUnknownError
from bench.workloads.roofline import (
    ASSUMED_RATES,
    ROLLED_SCAN_COUNTS,
    SCAN_COUNTS,
    Bound,
    Roofline,
    ScanCount,
    measured_roofline,
    probed_rates,
    rated_roofline,
    rolled_scan_count,
    scan_bound,
    scan_clocks,
)
from hardware_profiles.catalog import load
from hardware_profiles.errors import InputError

H200 = {"multiprocessors": 132, "clock_hz": 1.98e9}


@pytest.mark.parametrize(
    ("variant", "hash_per_s", "pipe"),
    [
        ("plain", 7.35e9, "ALU"),
        ("imad", 9.24e9, "ALU"),
        ("imad_shift", 10.11e9, "ALU"),
        ("imad_rotate", 10.57e9, "ALU"),
        ("imad_lea", 10.11e9, "ALU"),
        ("imad_lea_rotate", 10.97e9, "ALU"),
        ("imad_lea_rotate2", 9.34e9, "FMA"),
    ],
)
def test_scan_bound_of_an_h200_is_the_slowest_pipes(variant, hash_per_s, pipe):
    bound = scan_bound(SCAN_COUNTS[variant, "sm_90"], **H200)
    assert bound.rate_per_s == pytest.approx(hash_per_s, rel=2e-3)
    assert bound.basis == "modelled"
    assert bound.why.startswith(f"{pipe} pipe: ")
    assert bound.bound_by == f"{pipe} pipe"


@pytest.mark.parametrize(
    ("counts", "pipe"),
    [
        ({"memory": 60}, "load and store pipe"),
        ({"uniform": 120}, "uniform pipe"),
        ({"special": 30}, "special-function pipe"),
    ],
)
def test_every_counted_pipe_can_bind_and_is_named(counts, pipe):
    bound = scan_bound(ScanCount(100, 100, 0, 220, **counts), **H200)
    assert bound.bound_by == pipe
    assert bound.why.startswith(f"{pipe}: 1.88 clocks per hash and SM (assumed rates; issue 1.72, ")


def test_loads_uniform_and_special_instructions_never_bind_the_scan():
    for count in [*SCAN_COUNTS.values(), *(rolled_scan_count(*key, 2) for key in ROLLED_SCAN_COUNTS)]:
        clocks = scan_clocks(count)
        rest = [clocks[f"{name} pipe"] for name in ("load and store", "uniform", "special-function")]
        assert 0 < max(rest) < max(clocks.values()) / 20


def test_moving_all_work_to_another_pipe_raises_no_bound_above_that_pipes():
    honest = ScanCount(1811, 1047, 1, 2876)
    cheat = ScanCount(0, 1047 + 1811, 1, 2876)
    assert scan_bound(cheat, **H200).rate_per_s < scan_bound(honest, **H200).rate_per_s
    assert "FMA pipe" in scan_bound(cheat, **H200).why


def test_issue_limits_a_scan_whose_pipes_are_balanced():
    clocks = scan_clocks(ScanCount(1500, 1500, 0, 3300))
    assert max(clocks, key=clocks.get) == "issue"
    assert clocks["issue"] == pytest.approx(3300 / 128)


def test_rotate_and_add_in_one_counts_as_probed():
    count = SCAN_COUNTS["imad_lea", "sm_90"]
    assert scan_clocks(count, {"lea": 32.0})["ALU pipe"] == pytest.approx((1655 + 233) / 64)
    assert scan_clocks(count, {"alu": 32.0})["ALU pipe"] == pytest.approx((1655 - 233) / 32 + 233 / 64)


def test_slow_high_multiplies_count_as_probed():
    count = SCAN_COUNTS["imad_shift", "sm_90"]
    clocks = scan_clocks(count, {"fma_high": 8.0})
    assert clocks["FMA pipe"] == pytest.approx(1047 / 64 + 157 / 8)
    assert max(clocks, key=clocks.get) == "FMA pipe"


def test_probes_become_rates_by_pipe_and_the_slowest_kind_of_the_alu_counts():
    rates = probed_rates({"iadd3": 63.9, "lop3": 64.0, "shf": 60.0, "imad": 63.0, "imad_hi": 31.0, "mixed": 120.0})
    assert rates == {"alu": 60.0, "fma": 63.0, "fma_high": 31.0, "issue": ASSUMED_RATES["issue"]}
    assert probed_rates({}) == {}
    assert "fma" not in probed_rates({"imad": math.nan})


def test_roofline_bends_where_bandwidth_hands_over_to_arithmetic():
    roofline = Roofline("a chip", "rated", {"bf16": 1e15}, 5e12)
    below = roofline.bound("bf16", work_flop=1e12, moved_bytes=1e12 / 100)
    above = roofline.bound("bf16", work_flop=1e12, moved_bytes=1e12 / 400)
    assert below.rate_per_s == pytest.approx(5e14)
    assert "bandwidth" in below.why
    assert above.rate_per_s == pytest.approx(1e15)
    assert "bf16 peak" in above.why
    assert roofline.bound("fp4", 1.0, 1.0) is None
    assert roofline.memory_bound().rate_per_s == 5e12


def test_roofline_without_a_bandwidth_knows_arithmetic_alone():
    roofline = Roofline("a chip", "rated", {"bf16": 1e15}, None)
    assert roofline.bound("bf16", 1.0, 1e9).rate_per_s == pytest.approx(1e15)
    assert roofline.memory_bound() is None


def test_rated_roofline_takes_dense_peaks_and_bandwidth_of_a_profile():
    roofline = rated_roofline(load("nvidia-h200"))
    assert roofline.basis == "rated"
    assert roofline.peaks_flop_per_s["bf16"] == pytest.approx(989.4e12)
    assert roofline.bandwidth_byte_per_s == pytest.approx(4.8e12)


@pytest.fixture
def record(fake_workload, job, cpu_device):
    made = measure(fake_workload, job, device=cpu_device)

    def like(name, rate, status="ok", **changed):
        metric = Metric(value=rate, unit="x/s", basis="measured", n=3)
        workload = made.workload.model_copy(update={"name": name, **changed})
        return made.model_copy(update={"workload": workload, "metrics": {"rate": metric}, "status": status})

    return like


def test_measured_roofline_takes_the_best_of_what_was_measured_and_nothing_failed(record):
    records = [
        record("matmul_bf16_nt_cuda", 780e12),
        record("matmul_bf16_nt_cuda", 790e12),
        record("matmul_bf16_nt_cuda", 990e12, status="invalid"),
        record("memory_copy_cuda", 4.2e12),
        record("sha256d_scan_cuda", 9e9),
    ]
    roofline = measured_roofline(records)
    assert roofline.basis == "measured"
    assert roofline.peaks_flop_per_s == {"bf16": 790e12}
    assert roofline.bandwidth_byte_per_s == 4.2e12
    assert measured_roofline([record("sha256d_scan_cuda", 9e9)]) is None


def test_ratios_set_cublaslt_beside_cupy_and_the_readable_kernel_of_the_same_shape(record):
    shape = {"parameters": {"m": 8192, "n": 8192, "k": 8192}}
    other = {"parameters": {"m": 64, "n": 64, "k": 64}}
    records = [
        record("matmul_fp16_nt_cuda", 800e12, variant="cublaslt", **shape),
        record("matmul_fp16_nt_cuda", 760e12, variant="cupy", **shape),
        record("matmul_fp16_nt_cuda", 4e12, variant="numba", **shape),
        record("matmul_fp16_nt_cuda", 1e12, variant="cupy", **other),
    ]
    found = {one.name: one.ratio for one in ratios(records)}
    assert found == {
        "matmul_fp16_nt_cuda, cuBLASLt over CuPy's matmul": pytest.approx(800 / 760),
        "matmul_fp16_nt_cuda, cuBLASLt over the readable kernel": pytest.approx(200.0),
    }


class Bounded:
    unit = "hash"

    def __init__(self, answer):
        self.answer = answer

    def bound(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_record_gets_its_bound_and_the_fraction_of_it_with_an_interval():
    rate = Metric(value=8.0, unit="hash/s", basis="measured", n=3, interval_95=(7.0, 9.0))
    found, unknown = bound_metrics(Bounded(Bound(10.0, "modelled", "because")), {"rate": rate})
    assert unknown == []
    assert found["bound"].value == 10.0
    assert found["fraction_of_bound"].value == pytest.approx(0.8)
    assert found["fraction_of_bound"].interval_95 == pytest.approx((0.7, 0.9))
    assert found["fraction_of_bound"].n == 3


def test_a_bound_in_cycles_is_compared_with_the_cycles_whatever_the_clock_did():
    rate = Metric(value=8.0, unit="hash/s", basis="measured", n=3, interval_95=(7.0, 9.0))
    cycles = Metric(value=80.0, unit="cycle/hash", basis="measured", n=3)
    bound = Bound(5.0, "modelled", "the clock was slow while it was probed", cycles_per_unit=60.0)
    found = bound_metrics(Bounded(bound), {"rate": rate, "cycles_per_hash": cycles})[0]["fraction_of_bound"]
    assert found.value == pytest.approx(0.75)
    assert found.interval_95 == pytest.approx((0.75 * 7 / 8, 0.75 * 9 / 8))


def test_a_workload_without_a_bound_gets_none():
    rate = Metric(value=8.0, unit="hash/s", basis="measured", n=3)
    assert bound_metrics(Bounded(None), {"rate": rate}) == ({}, [])
    assert bound_metrics(Bounded(Bound(1.0, "rated", "x")), {}) == ({}, [])
    assert bound_metrics(object(), {"rate": rate}) == ({}, [])


@pytest.mark.parametrize("error", [InputError("a profile is faulty"), BoundUnknownError("a probe is faulty")])
def test_a_bound_that_could_not_be_determined_says_why(error):
    rate = Metric(value=8.0, unit="hash/s", basis="measured", n=3)
    assert bound_metrics(Bounded(error), {"rate": rate}) == ({}, [Reason(code="bound_unknown", detail=str(error))])


def test_bounds_are_immutable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Bound(1.0, "rated", "x").rate_per_s = 2.0
