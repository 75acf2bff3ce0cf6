"""The cost of a step as plain numbers: it times every trace as the model does."""

import numpy as np
import pytest

from bench.inference.accelerator import accelerator
from bench.inference.batching import Limits, trace_steps
from bench.inference.engine import engine
from bench.inference.serving import Setup
from bench.inference.timing import step_cost, step_seconds
from kernels.llm.counts import precision
from kernels.llm.shapes import load

LIMITS = Limits(64, 2048)


def made(model="llama-3.1-8b", dtype="fp8", gpus=1):
    return Setup(load(model), precision(dtype), accelerator("nvidia-h200"), gpus, engine())


@pytest.mark.parametrize(("model", "dtype", "gpus"), [("llama-3.3-70b", "fp8", 2), ("gpt-oss-120b", "mxfp4", 1)])
@pytest.mark.parametrize("graphs", [True, False])
def test_one_cost_times_any_trace_within_its_limits_as_the_model_does(model, dtype, gpus, graphs):
    setup = made(model, dtype, gpus)
    cost = step_cost(setup, LIMITS, graphs=graphs)
    for lengths in ((500, 20, 200), (3000, 7, 10), (1, 1, 65)):
        trace = trace_steps(*lengths, LIMITS)
        expected = step_seconds(setup, trace, LIMITS.batch, graphs=graphs)
        assert cost.seconds(trace) == pytest.approx(expected, rel=1e-12)
        assert np.all(np.isfinite(expected))


def test_a_cost_is_finite_at_every_number_within_its_limits():
    cost = step_cost(made(), LIMITS, graphs=True)
    for table, most in ((cost.mixed_s, 2048), (cost.decode_s, 64), (cost.head_s, 64)):
        assert len(table) == most + 1
        assert np.all(np.isfinite(table))


def test_a_step_that_reads_prompts_has_no_graph_of_its_own_and_costs_more():
    cost = step_cost(made(), LIMITS, graphs=False)
    mixed_s = cost.mixed_s[:65] - cost.decode_s
    assert mixed_s == pytest.approx(made().shape.layers * engine().mixed_layer_s)


def test_a_step_without_prompts_is_padded_to_its_graph():
    cost = step_cost(made(), LIMITS, graphs=True)
    assert cost.decode_s[33] == cost.decode_s[64] > cost.decode_s[32]
    bare = step_cost(made(), LIMITS, graphs=False)
    assert bare.decode_s[33] < bare.decode_s[64] == cost.decode_s[64]
