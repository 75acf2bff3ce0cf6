"""The bound of a CPU scan: which part of a step binds, which readings are refused, and what people read."""

import math

import pytest

from bench.measure.summary import bound_metrics
from bench.results.record import Metric
from bench.workloads.cpu import scan_bounds
from bench.workloads.cpu.scan_bounds import ProbeError, _try_elsewhere, combined, step_bound
from bench.workloads.protocol import WorkloadOptions
from bench.workloads.registry import create
from kernels.scan_cpu import variants
from kernels.scan_cpu.throughput import dialects
from kernels.scan_cpu.throughput.control_flow import Region
from kernels.scan_cpu.throughput.listing import Listing
from kernels.scan_cpu.throughput.parts import ALL, FRONT_END, SHA, VECTORS, Part

STEP = Listing((Region(("nop",) * 400),), hashes=4)
ROUNDS = 8


def parts(**cycles_per_hash):
    """Return parts of a body of ten instructions and steady readings, from cycles per hash by name."""
    names = {
        "rnds2": "sha256rnds2",
        "msg2": "sha256msg2",
        "sha": SHA,
        "vectors": VECTORS,
        "front": FRONT_END,
        "all": ALL,
    }
    made = [Part(names[name], ("nop",) * 10, 2.0, 20.0) for name in cycles_per_hash]
    return made, [[cycles / 2.0] * ROUNDS for cycles in cycles_per_hash.values()]


@pytest.mark.parametrize(
    ("cycles", "bound_by"),
    [
        ({"rnds2": 60, "msg2": 89, "sha": 90, "vectors": 90, "front": 40, "all": 90}, "sha256msg2"),
        ({"rnds2": 60, "msg2": 46, "sha": 89, "vectors": 90, "front": 40, "all": 90}, "SHA instructions"),
        ({"rnds2": 60, "msg2": 46, "sha": 70, "vectors": 88, "front": 40, "all": 90}, "vector instructions"),
        ({"rnds2": 60, "msg2": 46, "sha": 70, "vectors": 80, "front": 90, "all": 90}, "the front end"),
        ({"rnds2": 60, "msg2": 46, "sha": 70, "vectors": 80, "front": 40, "all": 90}, "all instructions together"),
    ],
)
def test_the_narrowest_part_that_takes_nearly_as_long_as_all_together_binds(cycles, bound_by):
    bound = combined(STEP, *parts(**cycles), {})
    assert (bound.bound_by, bound.cycles_per_hash) == (bound_by, 90)
    assert f"bound by {bound_by}: 90.0 cycles per hash" in bound.sentence()
    assert bound.instructions_per_hash == 100


def test_a_part_cannot_take_longer_than_all_together():
    bound = combined(STEP, *parts(vectors=93, all=90), {})
    assert bound.cycles_per_hash == 90
    assert max(limit.cycles_per_hash for limit in bound.limits) == 90


@pytest.mark.parametrize("reading", [0.0, math.inf, math.nan, -1.0, 1e6])
def test_a_probe_that_gives_nonsense_is_refused(reading):
    made, readings = parts(rnds2=60, all=90)
    readings[0] = [reading] * ROUNDS
    with pytest.raises(ProbeError, match="the probe of sha256rnds2 gave no plausible cycles per instruction"):
        combined(STEP, made, readings, {})


def test_single_readings_that_are_nonsense_do_not_count():
    made, readings = parts(rnds2=60, all=90)
    readings[1] += [0.0, 1e9]
    assert combined(STEP, made, readings, {}).cycles_per_hash == 90


def test_the_spread_of_the_readings_is_the_error():
    made, readings = parts(all=100)
    readings[0] = [50.0, 50.0, 50.0, 50.0, 50.5, 51.0, 51.0, 51.0, 51.0]
    bound = combined(STEP, made, readings, {})
    assert bound.cycles_per_hash == 100.0
    assert bound.error_frac == pytest.approx(0.01)


def test_of_two_orders_of_all_instructions_the_faster_counts():
    made, readings = parts(all=100)
    bound = combined(STEP, made * 2, [*readings, [45.0] * ROUNDS], {})
    assert bound.cycles_per_hash == 90.0
    assert len(bound.limits) == 1


def test_a_busy_neighbour_is_admitted():
    bound = scan_bounds.replace(combined(STEP, *parts(all=90), {}), quiet=False)
    assert bound.sentence().endswith("probed beside a busy hyperthread neighbour, so perhaps too high")


@pytest.mark.skipif(dialects.dialect_here() is None, reason="no probes for this CPU")
def test_the_slowest_variant_is_bound_by_its_integer_instructions():
    bound = step_bound("scalar")
    assert 300 < bound.cycles_per_hash < 3000
    assert bound.classes["integer rotates"] == 1020
    limits = {limit.name: limit.cycles_per_hash for limit in bound.limits}
    assert limits["integer rotates"] < limits["integer instructions"] <= limits[ALL] == bound.cycles_per_hash
    assert set(bound.document()) >= {"bound_by", "limits", "classes", "error_frac", "quiet"}


@pytest.mark.slow
@pytest.mark.skipif("sha" not in variants.compiled_features(), reason="no SHA instructions here")
@pytest.mark.parametrize("midstates", [2, 8])
def test_a_hash_takes_sixty_round_pairs_whatever_the_number_of_midstates(midstates):
    assert step_bound("shani", midstates).classes["sha256rnds2"] == 60


def test_a_cpu_without_probes_has_no_bound(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert dialects.dialect_here() is None
    assert step_bound("scalar") is None


def test_a_line_that_llvm_cannot_read_ends_a_trial_and_not_the_run():
    with pytest.raises(ProbeError, match="a trial of the probes ended with status"):
        _try_elsewhere({"0": ["no_such_instruction %rax, %rbx"]})


def test_a_probe_that_fails_costs_the_bound_alone_and_says_why(monkeypatch):
    def fail(*_):
        raise ProbeError("the probe of integer rotates gave no plausible cycles per instruction: 0, 0")

    monkeypatch.setattr(scan_bounds, "step_bound", fail)
    workload = create("sha256d_scan_cpu", WorkloadOptions(variant="scalar", threads=1))
    rate = Metric(value=8.0, unit="hash/s", basis="measured", n=3)
    figures, (reason,) = bound_metrics(workload, {"rate": rate})
    assert figures == {}
    assert reason.code == "bound_unknown"
    assert "integer rotates gave no plausible cycles" in reason.detail


def test_the_bound_of_a_workload_names_what_binds(monkeypatch):
    monkeypatch.setattr(scan_bounds, "step_bound", lambda *_: combined(STEP, *parts(rnds2=60, front=40, all=61), {}))
    bound = create("sha256d_scan_cpu", WorkloadOptions(variant="scalar", threads=2)).bound()
    assert bound.bound_by == "sha256rnds2"
    assert bound.why.startswith("bound by sha256rnds2: 61.0 cycles per hash (alone: the front end 40.0)")
    assert bound.rate_per_s > 1e6
