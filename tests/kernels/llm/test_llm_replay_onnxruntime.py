"""The CPU replay of the tiny model against the same shapes in onnxruntime: the same answers, and the same speed."""

import statistics
import sys
import time

import numpy as np
import pytest

from kernels.llm.replay_cpu import CpuReplay
from kernels.llm.shapes import load
from kernels.llm.weights import random_weights

pytest.importorskip("onnxruntime", reason="onnxruntime is in the test extra only")
onnx_decoder = pytest.importorskip("oracles.onnx_decoder", reason="onnx is in the test extra only")

THREADS = 1
SHAPE = load("tiny")


def test_the_tiny_model_gives_onnxruntimes_answers():
    weights = random_weights(SHAPE, seed=1)
    tokens = np.random.default_rng(1).integers(0, SHAPE.vocabulary, (2, 40))
    ours = CpuReplay(SHAPE, 2, 40, weights=weights)
    theirs = onnx_decoder.OnnxReplay(SHAPE, 2, 40, [weights], THREADS)
    ours.prefill(tokens[:, :37])
    found = theirs.run(tokens[:, :37])
    assert np.abs(ours.logits() - found).max() < 1e-4
    for position in (37, 38, 39):
        ours.decode(tokens[:, position])
        found = theirs.run(tokens[:, position : position + 1])
        assert np.abs(ours.logits() - found).max() < 1e-4


@pytest.mark.parametrize(("phase", "batch"), [("prefill", 1), ("prefill", 4), ("decode", 1), ("decode", 8)])
def test_benchmark_replay_is_within_a_fifth_of_onnxruntime(benchmark, phase, batch):
    """Interleave both, equal threads, over distinct weights; the median of the pairs' ratios is what counts."""
    from threadpoolctl import threadpool_limits

    length, steps, pairs = 256, 20, 15
    copies = [random_weights(SHAPE, seed) for seed in range(2)]
    ours = CpuReplay(SHAPE, batch, length + steps, threads=THREADS, weights=copies[0])
    ours._models = copies
    theirs = onnx_decoder.OnnxReplay(SHAPE, batch, length + steps, copies, THREADS)
    tokens = np.random.default_rng(0).integers(0, SHAPE.vocabulary, (batch, length))
    first = tokens[:, 0].copy()

    def run_ours():
        if phase == "prefill":
            ours.prefill(tokens)
            return
        ours.rewind(length)
        for _ in range(steps):
            ours.decode(first)

    def run_theirs():
        theirs.length = 0 if phase == "prefill" else length
        for _ in range(1 if phase == "prefill" else steps):
            theirs.run(tokens if phase == "prefill" else first[:, None])

    def timed(call):
        start = time.thread_time() if THREADS == 1 else time.perf_counter()
        call()
        return (time.thread_time() if THREADS == 1 else time.perf_counter()) - start

    with threadpool_limits(limits=THREADS, user_api="blas"):
        ours.prefill(tokens)
        for call in (run_ours, run_theirs) * 2:
            call()
        ratios = []
        for pair in range(pairs):
            order = (run_ours, run_theirs) if pair % 2 else (run_theirs, run_ours)
            times = {call: timed(call) for call in order}
            ratios.append(times[run_ours] / times[run_theirs])
        benchmark.pedantic(run_ours, rounds=3, iterations=1)
    low, ratio, high = statistics.quantiles(ratios, n=4)
    benchmark.extra_info.update(
        phase=phase, batch=batch, threads=THREADS, ratio_to_onnxruntime=ratio, quartiles=[low, high]
    )
    sys.stdout.write(f"{phase}, batch {batch}: {ratio:.3f} of onnxruntime's time (quartiles {low:.3f}, {high:.3f})\n")
    assert ratio <= 1.2  # time against theirs
