"""Speed of the simulated server; run with --benchmark-only (nothing is asserted about time)."""

import pytest

from bench.inference.accelerator import accelerator
from bench.inference.engine import engine
from bench.inference.serving import Setup
from bench.inference.simulation.arrivals import draw
from bench.inference.simulation.serve import serve
from bench.inference.timing import step_cost
from kernels.llm.counts import precision
from kernels.llm.shapes import load


@pytest.mark.parametrize("rate_per_s", [1.0, 20.0])
def test_a_million_requests_one_core(benchmark, rate_per_s):
    setup = Setup(load("llama-3.1-8b"), precision("fp8"), accelerator("nvidia-h200"), 1, engine())
    limits = setup.engine.online_limits()
    cost = step_cost(setup, limits, graphs=False)
    requests = draw(1_000_000, (1000, 128), 1).at(rate_per_s)
    serve(draw(10, (1000, 128), 1).at(rate_per_s), cost, limits)  # compiles
    served = benchmark.pedantic(serve, (requests, cost, limits), rounds=3)
    benchmark.extra_info["steps"] = served.steps
