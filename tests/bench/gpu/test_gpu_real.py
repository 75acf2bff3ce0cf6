"""On a real NVIDIA GPU: every variant right, every product within its bound, every record whole; else skipped."""

import dataclasses
import shutil

import numpy as np
import pytest

from bench.measure.plans import PLANS
from kernels.scan_cuda.probes import PROBES
from kernels.scan_cuda.variants import BY_NAME, ROLLED_VARIANTS

pytestmark = pytest.mark.gpu

SCANS = tuple(BY_NAME)


@pytest.fixture
def smoke(job):
    return dataclasses.replace(job, plan=PLANS["smoke"])


def run(name, job, variant=None, **extra):
    from bench.machine.devices import device_under_test
    from bench.measure.runner import measure
    from bench.workloads.protocol import WorkloadOptions
    from bench.workloads.registry import create

    options = WorkloadOptions(device="gpu:0", variant=variant, extra=extra)
    return measure(create(name, options), job, device=device_under_test("gpu:0"))


@pytest.mark.parametrize("variant", SCANS)
def test_scan_answers_the_selftest_and_finds_every_planted_nonce(variant, smoke):
    record = run("sha256d_scan_cuda", smoke, variant)
    assert record.status == "ok", record.reasons
    assert record.metrics["rate"].value > 1e7


@pytest.mark.parametrize("midstates", [2, 4, 8])
@pytest.mark.parametrize("variant", ROLLED_VARIANTS)
def test_scan_of_several_versions_answers_the_selftest_and_finds_every_planted_header(variant, midstates, smoke):
    record = run(f"sha256d_scan_vr{midstates}_cuda", smoke, variant)
    assert record.status == "ok", record.reasons
    assert record.metrics["rate"].value > 1e7


@pytest.mark.parametrize("variant", SCANS)
def test_scan_agrees_with_hashlib_on_random_headers(variant):
    from kernels.scan_cpu.scan import meets_target
    from kernels.scan_cuda.scan import CudaScan

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
    from kernels.gpu.device import inspect
    from kernels.matmul.formats import FORMATS

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


@pytest.mark.parametrize("phase", ["prefill", "decode"])
@pytest.mark.parametrize("dtype", ["bf16", "fp16", "fp8"])
def test_replay_of_a_models_layers_agrees_with_the_float64_reference(dtype, phase, smoke):
    from kernels.gpu.device import inspect
    from kernels.matmul.formats import FORMATS

    if inspect(0).capability < FORMATS[dtype].oldest:
        pytest.skip(f"this GPU has no {dtype}")
    record = run(f"llm_{phase}_{dtype}_cuda", smoke, model="llama-3.1-8b", input=200, output=100, batch=5)
    assert record.status == "ok", record.reasons
    assert any("float64 reference" in check for check in record.workload.verification)
    if phase == "decode":
        assert record.workload.parameters["decoding"] == "CUDA graph"
    if "fraction_of_bound" in record.metrics:
        assert record.metrics["fraction_of_bound"].value < 1.05


@pytest.mark.parametrize(("heads", "kv_heads"), [(8, 8), (16, 2), (32, 2)])
@pytest.mark.parametrize("dtype", ["bf16", "fp16", "fp8"])
def test_replay_attends_alike_for_every_group_of_heads_and_cut_of_keys(dtype, heads, kv_heads):
    from kernels.gpu.device import inspect, open_cupy
    from kernels.llm import reference
    from kernels.llm.replay_cuda import CudaReplay
    from kernels.llm.shapes import load
    from kernels.llm.source_cuda import replay_formats
    from kernels.llm.weights import random_weights
    from kernels.llm.weights_cuda import rounded
    from kernels.matmul.formats import FORMATS

    if inspect(0).capability < FORMATS[dtype].oldest:
        pytest.skip(f"this GPU has no {dtype}")
    shape = load("tiny").resized(
        layers=2, hidden=256, heads=heads, kv_heads=kv_heads, head_size=128, ffn=528, vocabulary=512
    )
    weights = random_weights(shape, seed=3)
    tokens = np.random.default_rng(4).integers(0, shape.vocabulary, (3, 300))
    expected = [reference.logits(shape, rounded(shape, weights, replay_formats(dtype)), row) for row in tokens]
    replay = CudaReplay(open_cupy(0), shape, dtype, 3, 300, weights=weights)
    most = {"bf16": 0.02, "fp16": 0.003, "fp8": 0.1}[dtype]
    replay.prefill(tokens[:, :290])
    for position in range(290, 300):
        wanted = np.stack([one[position - 1] for one in expected])
        assert np.linalg.norm(replay.logits() - wanted) <= most * np.linalg.norm(wanted), position
        replay.decode(tokens[:, position])
    assert replay.facts["attention_parts"] in {1, 2, 4}
    replay.close()


def test_gpu_energy_of_a_scan_is_read_from_the_board(smoke):
    from bench.machine.devices import device_under_test
    from bench.measure.runner import measure
    from bench.meters.protocol import MeterOptions
    from bench.meters.registry import open_meters
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
    assert record.energy_per_unit.boundary == "board"
    assert shutil.which("nvidia-smi")
