"""Matrix products from preparation to record on a fake GPU whose cuBLASLt is NumPy."""

# ruff: noqa: ARG001, ARG002, PLR0917, RUF012 (fixtures are asked for what they put in place; a stand-in takes what it is given)

import types

import numpy as np
import pytest

from bench.machine.devices import device_under_test
from bench.measure.runner import measure
from bench.workloads.cuda import matmul_choice, matmul_cuda
from bench.workloads.protocol import WorkloadOptions
from bench.workloads.registry import create
from kernels.errors import KernelInputError
from kernels.matmul import cublaslt
from kernels.matmul.formats import FORMATS, decode, encode


@pytest.fixture
def small(monkeypatch):
    """Shrink everything to what a CPU does at once."""
    monkeypatch.setattr(matmul_cuda, "SIZE", 64)
    monkeypatch.setattr(matmul_cuda, "SAMPLES", 32)
    monkeypatch.setattr(matmul_choice, "ALGORITHM_MS", 0.1)
    monkeypatch.setattr(matmul_choice, "FINAL_MS", 0.1)


def options(variant=None, **extra):
    return WorkloadOptions(device="gpu:0", variant=variant, extra=extra)


class FakeProduct:
    """cuBLASLt with two algorithms, computed by NumPy."""

    wrong = False
    arrays = {}

    def __init__(self, cupy, form, m, n, k):
        self.form, self.m, self.n, self.k = form, m, n, k

    def algorithms(self, count):
        return [cublaslt.Algorithm(i, f"fake {i}", b"") for i in range(2)]

    def launch(self, a, b, d, algorithm, stream):
        a, b, d = (self.arrays[pointer] for pointer in (a, b, d))
        product = decode(self.form, a) @ decode(self.form, b).T
        if self.wrong:
            product[:, 3::7] *= 1.5
        if self.form.out == "int32":
            d[:] = product.astype(np.int32).view(np.uint32)
        else:
            d[:] = encode(FORMATS[self.form.out], product)

    def close(self):
        pass


@pytest.fixture
def product(cupy, monkeypatch):
    monkeypatch.setattr(cublaslt, "LtProduct", FakeProduct)
    monkeypatch.setattr(FakeProduct, "wrong", False)
    original = matmul_cuda.MatmulCuda._make_sets

    def remember(self, gpu):
        original(self, gpu)
        for operands in self._sets:
            for array in (operands.a, operands.b, operands.d):
                FakeProduct.arrays[array.data.ptr] = array

    monkeypatch.setattr(matmul_cuda.MatmulCuda, "_make_sets", remember)
    monkeypatch.setattr(matmul_choice, "GRAPH_BELOW_MS", 0.0)
    return FakeProduct


@pytest.mark.parametrize("dtype", ["fp32", "tf32", "fp16", "bf16", "int8", "fp8"])
def test_product_workload_on_a_fake_gpu_keeps_and_names_an_algorithm(product, small, gpu_job, dtype):
    record = measure(create(f"matmul_{dtype}_nt_cuda", options()), gpu_job, device=device_under_test("gpu:0"))
    assert record.status == "ok", record.reasons
    given = record.workload.parameters
    assert given["algorithms_timed"] == 2
    assert str(given["algorithm"]).endswith(("fake 0", "fake 1"))
    assert given["buffers"] == "cold"
    assert given["dtype"] == dtype
    assert "32 entries" in record.workload.verification[0]
    assert record.metrics["bound"].basis == "rated"


def test_product_workload_that_answers_wrongly_gets_no_number(product, small, gpu_job, monkeypatch):
    monkeypatch.setattr(product, "wrong", True)
    record = measure(create("matmul_bf16_nt_cuda", options()), gpu_job, device=device_under_test("gpu:0"))
    assert record.reasons[0].code == "wrong_answer"
    assert "times the bound of bf16" in record.reasons[0].detail


@pytest.mark.parametrize("refused", [False, True])
def test_short_products_are_replayed_in_a_graph_or_one_by_one_where_that_is_refused(
    product, small, gpu_job, monkeypatch, cupy, refused
):
    launches = []

    class Recording(cupy.cuda.Stream):
        def begin_capture(self):
            pass

        def end_capture(self):
            if refused:
                raise RuntimeError("cudaErrorStreamCaptureInvalidated")
            return types.SimpleNamespace(launch=launches.append)

    monkeypatch.setattr(cupy.cuda, "Stream", Recording)
    monkeypatch.setattr(matmul_choice, "GRAPH_BELOW_MS", 1e9)
    record = measure(create("matmul_bf16_nt_cuda", options()), gpu_job, device=device_under_test("gpu:0"))
    assert record.status == "ok", record.reasons
    given = record.workload.parameters
    assert bool(launches) is not refused
    assert ("graph_products" in given, "graph_refused" in given) == (not refused, refused)
    if not refused:
        assert given["graph_products"] % given["sets"] == 0


def test_product_workload_hot_stays_on_one_set_and_says_so(product, small):
    workload = create("matmul_bf16_nt_cuda", options(buffers="hot"))
    workload.prepare()
    assert workload.parameters()["buffers"] == "hot"
    assert workload.parameters()["sets"] == 1


@pytest.mark.parametrize("dtype", ["fp32", "fp16"])
def test_cupys_own_product_on_a_fake_gpu_is_checked_by_the_same_bound(product, small, gpu_job, dtype, monkeypatch):
    monkeypatch.setattr("bench.workloads.cuda.matmul_cuda.cupy_queue", _numpy_queue)
    record = measure(create(f"matmul_{dtype}_nt_cuda", options("cupy")), gpu_job, device=device_under_test("gpu:0"))
    assert record.status == "ok", record.reasons
    assert record.workload.variant == "cupy"


def _numpy_queue(gpu, name):
    dtype = np.float32 if name == "fp32" else np.float16

    def queue(operands):
        a, b = (np.asarray(x).view(dtype).astype(np.float32) for x in (operands.a, operands.b))
        operands.d.view(dtype)[:] = a @ b.T

    return queue


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("matmul_fp4_nt_cuda", {}, "dtype fp4: expected compute capability 10.0 or later, got 9.0"),
    ],
)
def test_a_format_that_the_chip_lacks_is_refused_before_anything_is_allocated(product, small, name, given, message):
    with pytest.raises(KernelInputError, match=message):
        create(name, options(**given)).prepare()
