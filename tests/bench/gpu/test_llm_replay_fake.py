"""The replay of a model on a fake GPU: its own CUDA C run on the CPU, products by NumPy, graphs played again."""

# ruff: noqa: ARG001, ARG002 (fixtures are asked for what they put in place; a stand-in takes what it is given)

import ctypes
import dataclasses
import types
from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner
from oracles.cuda_hostblocks import HostKernels

from bench.cli.run.llm import llm
from bench.inference.rates import combined
from bench.machine.devices import device_under_test
from bench.measure.plans import PLANS
from bench.measure.runner import measure
from bench.workloads.cuda import llm_replay_cuda as workload_module
from bench.workloads.cuda.llm_replay_cuda import TOLERANCES
from bench.workloads.protocol import WorkloadOptions
from bench.workloads.registry import create
from kernels.errors import KernelInputError
from kernels.gpu.toolchain import ToolMissingError
from kernels.llm import buffers_cuda, reference
from kernels.llm.replay import Replay
from kernels.llm.replay_cuda import CudaReplay
from kernels.llm.shapes import load
from kernels.llm.source_cuda import KERNELS, replay_formats
from kernels.llm.weights import random_weights
from kernels.llm.weights_cuda import rounded
from kernels.matmul import cublaslt
from kernels.matmul.formats import FORMATS, decode, encode


def small(**changes):
    return load("tiny").resized(
        **{"layers": 2, "hidden": 256, "heads": 4, "kv_heads": 2, "head_size": 128, "ffn": 272,
        "vocabulary": 512, "context": 128, **changes},
    )  # fmt: skip


@cache
def compiled(text):
    try:
        return HostKernels(text, KERNELS)
    except ToolMissingError as error:
        pytest.skip(str(error))


class Recorder:
    """Queues launches while a graph is recorded, and runs them otherwise; a graph runs them again."""

    def __init__(self):
        self.queue = None
        self.refused = False
        self.graphs = 0

    def do(self, launch):
        if self.queue is None:
            launch()
        else:
            self.queue.append(launch)

    def begin(self):
        self.queue = []

    def end(self):
        launches, self.queue = self.queue, None
        if self.refused:
            raise RuntimeError("cudaErrorStreamCaptureInvalidated")

        def launch(_stream):
            self.graphs += 1
            for one in launches:
                one()

        return types.SimpleNamespace(launch=launch)


class NumpyProduct:
    """cuBLASLt with two algorithms, computed by NumPy on the codes behind the pointers."""

    recorder = None

    def __init__(self, cupy, form, m, n, k, *, scales=None, workspace=None):
        self.form, self.m, self.n, self.k = form, m, n, k
        self.scales = scales or (form.scale, form.scale)
        assert m % 16 == 0

    def algorithms(self, count):
        return [cublaslt.Algorithm(i, f"fake {i}", b"") for i in range(2)]

    def launch(self, a, b, d, algorithm, stream):
        self.recorder.do(lambda: self._multiply(a, b, d))

    def _multiply(self, a, b, d):
        kind = np.uint8 if self.form.bits == 8 else np.uint16

        def at(pointer, rows, columns, kind):
            size = rows * columns * np.dtype(kind).itemsize
            return np.frombuffer((ctypes.c_char * size).from_address(pointer), kind).reshape(rows, columns)

        left, right = (decode(self.form, at(one, rows, self.k, kind)) / self.form.scale * scale
                       for one, rows, scale in ((a, self.m, self.scales[0]), (b, self.n, self.scales[1])))  # fmt: skip
        at(d, self.m, self.n, np.uint16)[:] = encode(FORMATS[self.form.out], left @ right.T)

    def close(self):
        pass


@pytest.fixture
def replay_gpu(cupy, monkeypatch):
    """A fake CuPy whose modules run the replay's text, whose streams record graphs, and cuBLASLt by NumPy."""
    recorder = cupy.recorder = Recorder()
    ordinary, stream = cupy.RawModule, cupy.cuda.Stream

    def module(*, code, options=()):
        if "attend_token" not in code:
            return ordinary(code=code, options=options)
        host = compiled(code)

        def function(name):
            return lambda grid, block, given: recorder.do(
                lambda: host.launch(
                    name, grid, block, [np.asarray(one) if isinstance(one, np.ndarray) else one for one in given]
                )
            )

        return types.SimpleNamespace(get_function=function)

    class RecordingStream(stream):
        def begin_capture(self):
            recorder.begin()

        def end_capture(self):
            return recorder.end()

    monkeypatch.setattr(cupy, "RawModule", module, raising=False)
    monkeypatch.setattr(cupy.cuda, "Stream", RecordingStream)
    monkeypatch.setattr(cupy.cuda, "get_current_stream", RecordingStream)
    monkeypatch.setattr(NumpyProduct, "recorder", recorder)
    monkeypatch.setattr(cublaslt, "LtProduct", NumpyProduct)
    monkeypatch.setattr("kernels.llm.products_cuda.ALGORITHM_MS", 0.001)
    return cupy


def error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_fake_gpu_decodes_what_the_float64_reference_says(replay_gpu, dtype, monkeypatch):
    most_rows = 16 if dtype == "fp16" else 48  # passes of a part of a prompt; of two prompts and of one
    monkeypatch.setattr(buffers_cuda, "MOST_ROWS", most_rows)
    monkeypatch.setattr(buffers_cuda, "LEAST_KEYS", 13)  # 26 tokens in two parts
    monkeypatch.setattr("kernels.llm.replay_cuda.ways_to_cut", lambda *_: (2,))
    shape, formats = small(), replay_formats(dtype)
    weights = random_weights(shape, seed=3)
    tokens = np.random.default_rng(5).integers(0, shape.vocabulary, (3, 26))
    replay = CudaReplay(replay_gpu, shape, dtype, 3, 26, weights=weights)
    exact = rounded(shape, weights, formats)
    expected = np.stack([reference.logits(shape, exact, row) for row in tokens])
    chosen = replay.prefill(tokens[:, :23])
    assert error(replay.logits(), expected[:, 22]) < TOLERANCES[dtype]
    assert (chosen == replay.logits().argmax(-1)).all()
    for position in range(23, 26):
        chosen = replay.decode(tokens[:, position])
        assert error(replay.logits(), expected[:, position]) < TOLERANCES[dtype]
        assert (chosen == replay.logits().argmax(-1)).all()
    assert replay_gpu.recorder.graphs == 2
    assert (replay.facts["decoding"], replay.facts["attention_parts"]) == ("CUDA graph", 2)
    assert isinstance(replay, Replay)
    replay.close()
    replay.close()


# --- workloads --------------------------------------------------------------------------------------------------------


@pytest.fixture
def quick_model(replay_gpu, monkeypatch, job):
    """A model of two small layers under a real one's name, verified on a short prompt; the job of a smoke run."""
    monkeypatch.setattr("kernels.llm.shapes.load", lambda _name: small(name="small llama"))
    monkeypatch.setattr(workload_module, "VERIFIED_TOKENS", 18)
    monkeypatch.setattr(workload_module, "miniature", lambda shape: shape)
    return dataclasses.replace(job, plan=dataclasses.replace(PLANS["smoke"], rate_floor_s=0.01))


def options(**extra):
    return WorkloadOptions(device="gpu:0", extra={"input": 20, "output": 5, "batch": 2, **extra})


def test_fake_gpu_replay_is_verified_measured_and_combined_into_what_a_user_sees(quick_model):
    device = device_under_test("gpu:0")
    records = [
        measure(create(f"llm_{phase}_fp8_cuda", options()), quick_model, device=device)
        for phase in ("prefill", "decode")
    ]
    for record, basis in zip(records, ("input", "output"), strict=True):
        assert record.status == "ok", record.reasons
        given = record.workload.parameters
        assert (given["token_basis"], given["lengths"], given["dtype"]) == (basis, "20:5", "fp8")
        rows = 48 if basis == "input" else 16
        assert str(given[f"down, {rows} rows"]).endswith(("fake 0", "fake 1"))
        assert "float64 reference" in record.workload.verification[0]
        assert "the same when computed again" in record.workload.verification[1]
        assert record.metrics["bound"].basis == "rated"
        assert 0 < record.metrics["fraction_of_bound"].value < 1
    assert records[1].workload.parameters["decoding"] == "CUDA graph"
    served = combined(*records)
    assert served.tokens_per_s < records[1].metrics["rate"].value


def test_fake_gpu_replay_that_answers_wrongly_gets_no_number(quick_model, monkeypatch):
    monkeypatch.setattr("kernels.llm.replay_cuda.query_scale", lambda *_: 0.5)
    record = measure(create("llm_decode_bf16_cuda", options()), quick_model, device=device_under_test("gpu:0"))
    assert record.reasons[0].code == "wrong_answer"
    assert "replay against the float64 reference: error" in record.reasons[0].detail


def test_decoding_stays_launches_where_a_graph_is_refused_and_says_so(quick_model, replay_gpu):
    replay_gpu.recorder.refused = True
    workload = create("llm_decode_fp16_cuda", options())
    workload.prepare()
    workload.run(2)
    assert workload.check_output()
    assert str(workload.parameters()["decoding"]).startswith("launches, because a graph was refused: cudaErrorStream")
    workload.close()
    workload.close()
    with pytest.raises(RuntimeError, match="run before prepare"):
        workload.run(1)
    assert workload.bound() is None


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_memory_that_is_counted_before_is_what_is_allocated(replay_gpu, batch):
    shape = small()
    made = buffers_cuda.Buffers(replay_gpu, shape, replay_formats("fp8"), batch, 40)
    held = sum(getattr(made, name).nbytes for name in buffers_cuda.arrays(shape, replay_formats("fp8"), batch, 40))
    counted = buffers_cuda.memory_bytes(shape, "fp8", batch, 40) - cublaslt.WORKSPACE_BYTES
    assert held == counted
    assert made.keys.shape == (2, batch, 2, 48, 128)
    assert made.keys.nbytes * 2 == 2 * 2 * 2 * 128 * 48 * batch  # layers, keys and values, heads, head size, tokens


def test_weights_on_the_device_are_random_distinct_and_scaled_to_keep_activations_near_one(replay_gpu):
    replay = CudaReplay(replay_gpu, small(), "fp8", 2, 20)
    layers = replay._weights.layers
    assert not np.array_equal(layers[0].matrices["qkv"], layers[1].matrices["qkv"])
    replay.prefill(np.arange(20).reshape(2, 10))
    assert 0.1 < np.abs(replay.logits()).mean() < 10
    replay.close()
    replay.close()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda replay: replay.fill(20), "fill: expected 0 to 19 tokens, got 20"),
        (lambda replay: replay.move_to(1), "move: expected 0 to 0 tokens, got 1"),
        (lambda replay: replay.prefill(np.zeros((2, 21), int)), r"expected \[2, up to 20\], got \[2, 21\]"),
    ],
)
def test_what_a_fake_gpu_replay_cannot_do_is_refused(replay_gpu, call, message):
    with pytest.raises(KernelInputError, match=message):
        call(CudaReplay(replay_gpu, small(layers=1), "bf16", 2, 20))


@pytest.mark.slow
def test_run_llm_on_a_fake_gpu_measures_each_batch_and_says_where_it_was_measured(quick_model, tmp_path, monkeypatch):
    monkeypatch.setitem(PLANS, "smoke", quick_model.plan)
    asked = [
        "--model",
        "small",
        "--device",
        "gpu:0",
        "--dtype",
        "bf16",
        "--input",
        "20",
        "--output",
        "5",
        "--batch",
        "1,2",
    ]
    done = CliRunner().invoke(
        llm, [*asked, "--plan", "smoke", "--meter", "none", "--out", str(tmp_path)], standalone_mode=False
    )
    assert done.return_value == 0, (done.output, done.exception)
    assert "Measured on NVIDIA H200: small llama in bf16, weights cold" in done.output
    assert "output tokens, 20:5 in:out" in done.output
    assert len(list(tmp_path.glob("*/result.json"))) == 4
