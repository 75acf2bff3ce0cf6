"""On a real NVIDIA GPU: every variant right, every product within its bound, every record whole; else skipped."""

import dataclasses
import shutil

import numpy as np
import pytest

from bench.plan import PLANS
from kernels.gpu_probes import PROBES
from kernels.sha256d_cuda import BY_NAME

pytestmark = pytest.mark.gpu

SCANS = tuple(BY_NAME)


@pytest.fixture
def smoke(job):
    return dataclasses.replace(job, plan=PLANS["smoke"])


def run(name, job, variant=None, **extra):
    from bench.devices import device_under_test
    from bench.runner import measure
    from bench.workloads.protocol import WorkloadOptions
    from bench.workloads.registry import create

    options = WorkloadOptions(device="gpu:0", variant=variant, extra=extra)
    return measure(create(name, options), job, device=device_under_test("gpu:0"))


@pytest.mark.parametrize("variant", SCANS)
def test_scan_answers_the_selftest_and_finds_every_planted_nonce(variant, smoke):
    record = run("sha256d_scan_cuda", smoke, variant)
    assert record.status == "ok", record.reasons
    assert record.metrics["rate"].value > 1e7


@pytest.mark.parametrize("variant", SCANS)
def test_scan_agrees_with_hashlib_on_random_headers(variant):
    from kernels.sha256d_cpu import meets_target
    from kernels.sha256d_cuda import CudaScan

    generator = np.random.default_rng(8)
    scan, target = CudaScan(variant), (1 << 250) - 1
    for _ in range(20):
        header = generator.bytes(80)
        start = int(generator.integers(0, 1 << 32))
        expected = [n % (1 << 32) for n in range(start, start + 500) if meets_target(header, n % (1 << 32), target)]
        assert list(scan.scan(header, start, 500, target).hits) == expected


@pytest.mark.parametrize("dtype", ["fp32", "tf32", "fp16", "bf16", "int8", "fp8", "fp4"])
@pytest.mark.parametrize(("m", "n", "k"), [(512, 768, 1024), (64, 4096, 4096)])
def test_product_through_cublaslt_lies_within_its_bound(dtype, m, n, k, smoke):
    from kernels.cuda_device import inspect
    from kernels.matmul_cuda import FORMATS

    if inspect(0).capability < FORMATS[dtype].oldest:
        pytest.skip(f"this GPU has no {dtype}")
    record = run(f"matmul_{dtype}_nt_cuda", smoke, m=m, n=n, k=k)
    assert record.status == "ok", record.reasons
    assert record.workload.parameters["algorithm"]


@pytest.mark.parametrize(
    ("dtype", "variant"), [("fp32", "cupy"), ("fp16", "cupy"), ("fp32", "numba"), ("fp16", "numba")]
)
def test_plain_products_lie_within_the_same_bound(dtype, variant, smoke):
    record = run(f"matmul_{dtype}_nt_cuda", smoke, variant, m=512, n=512, k=512)
    assert record.status == "ok", record.reasons


@pytest.mark.parametrize("operation", ["copy", "triad", "read"])
def test_memory_passes_leave_every_word_right(operation, smoke):
    record = run(f"memory_{operation}_cuda", smoke)
    assert record.status == "ok", record.reasons


@pytest.mark.parametrize("kind", PROBES)
def test_probes_find_a_rate_that_a_multiprocessor_can_have(kind, smoke):
    record = run(f"probe_{kind}_cuda", smoke)
    assert record.status == "ok", record.reasons
    assert 4 < record.workload.parameters["per_clock_per_multiprocessor"] < 140


def test_gpu_energy_of_a_scan_is_read_from_the_board(smoke):
    from bench.devices import device_under_test
    from bench.meters import open_meters
    from bench.meters.protocol import MeterOptions
    from bench.runner import measure
    from bench.workloads.protocol import WorkloadOptions
    from bench.workloads.registry import create

    meters = open_meters(["nvml:0"], MeterOptions())
    try:
        plan = dataclasses.replace(PLANS["smoke"], floor_s=5.0)
        job = dataclasses.replace(smoke, plan=plan)
        workload = create("sha256d_scan_cuda", WorkloadOptions(device="gpu:0", variant="imad"))
        record = measure(workload, job, meters, device=device_under_test("gpu:0"))
    finally:
        for meter in meters:
            meter.close()
    assert record.status == "ok", record.reasons
    assert record.energy_metric().boundary == "board"
    assert shutil.which("nvidia-smi")
