"""The scan of several versions on a fake GPU that runs the real text on the CPU: from preparation to record."""

# ruff: noqa: ARG001 (fixtures are asked for what they put in place)

import pytest

from bench.machine.devices import device_under_test
from bench.measure.runner import measure
from bench.workloads.cuda import sha256d_scan_cuda
from bench.workloads.protocol import WorkloadOptions
from bench.workloads.registry import create
from kernels.errors import KernelInputError
from kernels.scan_cpu.scan import MIDSTATES, meets_target
from kernels.scan_cpu.selftest import SelfTestError, known_headers
from kernels.scan_cuda.scan import FEWER_WARPS, CudaVersionScan
from kernels.scan_cuda.selftest import run_cuda_versions_selftest
from kernels.scan_cuda.variants import ROLLED_VARIANTS
from kernels.sha256.header import NONCES, rolled_versions, with_version

EASY = (1 << 252) - 1


@pytest.fixture
def small(monkeypatch):
    """Shrink the windows to what a CPU does at once."""
    monkeypatch.setattr(sha256d_scan_cuda, "NONCES_PER_UNIT", 1 << 9)
    monkeypatch.setattr(sha256d_scan_cuda, "CALIBRATION_NONCES", 1 << 9)
    monkeypatch.setattr(sha256d_scan_cuda, "MOST_UNITS", 16)


def options(variant=None, **extra):
    return WorkloadOptions(device="gpu:0", variant=variant, extra=extra)


@pytest.mark.parametrize("midstates", MIDSTATES)
@pytest.mark.parametrize("variant", ROLLED_VARIANTS)
def test_scan_of_a_fake_gpu_answers_the_whole_selftest(cupy, variant, midstates):
    assert len(run_cuda_versions_selftest(variant, CudaVersionScan(variant).scan_versions, midstates)) >= 10


def test_selftest_catches_a_fake_gpu_that_loses_its_hits(cupy):
    cupy.wrong = True
    with pytest.raises(SelfTestError, match=r"version and nonce of block \d+ found: expected \(version, nonce\)"):
        run_cuda_versions_selftest("plain", CudaVersionScan("plain").scan_versions, 2)


@pytest.mark.parametrize(("start", "count"), [(NONCES - 100, 300), (37, 5), (16, 16), (31, 1), (5, 0)])
def test_a_window_holds_exactly_its_nonces_in_order_also_past_the_last(cupy, start, count):
    header80, versions = known_headers()[0].header80, rolled_versions(4, 4, (1 << 16) - 2)
    expected = tuple(
        (version, (start + offset) % NONCES)
        for offset in range(count)
        for version in versions
        if meets_target(with_version(header80, version), (start + offset) % NONCES, EASY)
    )
    found = CudaVersionScan("imad_lea").scan_versions(header80, versions, start, count, EASY)
    assert found.hits == expected
    assert found.hashes == 4 * count


def test_scan_divides_a_window_with_more_candidates_than_it_can_keep(cupy, monkeypatch):
    monkeypatch.setattr("kernels.scan_cuda.scan.CAPACITY", 128)
    versions = rolled_versions(4, 4)
    found = CudaVersionScan("plain").scan_versions(known_headers()[0].header80, versions, 9, 100, (1 << 256) - 1)
    assert found.hits == tuple((version, nonce) for nonce in range(9, 109) for version in versions)
    assert len(cupy.launches) > 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((b"short", [1, 2], 0, 1), "header: expected 80 bytes"),
        ((bytes(80), [1, 2], -1, 1, 1 << 200), "start_nonce"),
        ((bytes(80), [1], 0, 1, 1 << 200), "versions: expected 2, 4 or 8 different ones, got 1"),
        ((bytes(80), [7, 7], 0, 1, 1 << 200), "versions: expected 2, 4 or 8 different ones"),
        ((bytes(80), [1, NONCES], 0, 1, 1 << 200), r"version: expected 0 to 2\^32 - 1, got 4294967296"),
    ],
)
def test_a_callers_mistake_is_named(cupy, arguments, message):
    with pytest.raises(KernelInputError, match=message):
        CudaVersionScan("plain").scan_versions(*arguments)


@pytest.mark.parametrize("midstates", MIDSTATES)
def test_workload_on_a_fake_gpu_calibrates_measures_and_states_its_bound(cupy, small, gpu_job, midstates):
    workload = create(f"sha256d_scan_vr{midstates}_cuda", options())
    record = measure(workload, gpu_job, device=device_under_test("gpu:0"))
    assert record.status == "ok", record.reasons
    assert record.workload.variant in ROLLED_VARIANTS
    tried = [key for key in record.workload.parameters if key.startswith("calibration: ")]
    assert len(tried) == 3 * len(ROLLED_VARIANTS) + len(FEWER_WARPS)
    assert record.workload.parameters["midstates_per_schedule"] == midstates
    assert record.workload.parameters["nonces_per_unit"] * midstates == 1 << 9
    assert record.metrics["bound"].basis == "modelled"
    assert "found exactly the block's version and nonce" in record.workload.verification[-1]


def test_a_unit_is_a_number_of_hashes_whatever_the_number_of_versions(cupy, small):
    for midstates in MIDSTATES:
        workload = create(f"sha256d_scan_vr{midstates}_cuda", options("plain"))
        workload.prepare()
        assert workload.run(3).work == 3 << 9


def test_the_bound_counts_a_shared_schedule_once_a_nonce(cupy, small):
    bounds = {}
    for name in ("sha256d_scan_cuda", *(f"sha256d_scan_vr{midstates}_cuda" for midstates in MIDSTATES)):
        workload = create(name, options("imad_lea_rotate"))
        workload.prepare()
        bounds[name] = workload.bound().rate_per_s
    rates = list(bounds.values())
    assert rates == sorted(rates)
    assert bounds["sha256d_scan_vr4_cuda"] / bounds["sha256d_scan_cuda"] == pytest.approx(1525 / 1339.75)


def test_workload_on_a_fake_gpu_that_answers_wrongly_gets_no_number(cupy, small, gpu_job):
    cupy.wrong = True
    record = measure(create("sha256d_scan_vr4_cuda", options("plain")), gpu_job, device=device_under_test("gpu:0"))
    assert record.status == "failed"
    assert record.reasons[0].code == "wrong_answer"
    assert "expected version 0x" in record.reasons[0].detail
    assert record.metrics == {}


@pytest.mark.parametrize("variant", ["imad", "numba", "simd"])
def test_a_variant_without_a_scan_of_several_versions_is_refused_by_name(variant):
    with pytest.raises(KernelInputError, match=rf"expected one that scans several versions \(plain, .*got '{variant}'"):
        create("sha256d_scan_vr4_cuda", options(variant))
