"""The Server scenario of MLPerf: the largest rate of random requests whose latencies stay within a task's limits."""

import math
from dataclasses import dataclass

from bench.inference.batching import Limits
from bench.inference.serving import Setup
from bench.inference.simulation.arrivals import Quantiles, draw
from bench.inference.simulation.bisection import bisected
from bench.inference.simulation.largest import Target
from bench.inference.simulation.serve import Served
from bench.inference.simulation.server import Server
from bench.inference.timing import step_cost

DURATION_S = 600.0  # the least that LoadGen allows (min_duration of mlperf.conf)
LEAST_TOKENS = 1024  # smallest token budget that is tried
MOST_OVER = 1.3  # rate over the capacity that no run of DURATION_S can have within the limits
LEAST_FRAC = 1e-3  # [-] of the capacity


@dataclass(frozen=True, slots=True)
class Scenario:
    """A task under its latency limits."""

    input_len: int  # [token] mean
    output_len: int  # [token] mean
    inputs: Quantiles | None  # distribution of the lengths; None for equal lengths
    outputs: Quantiles | None
    target: Target
    copies: int  # of the model, which take turns at the requests


@dataclass(frozen=True, slots=True)
class ServerRun:
    """The run with the largest rate, of one copy of the model."""

    tokens_per_s: float  # [output token/s] completed
    tokens: int  # [token] budget of a step that allows this rate
    served: Served


def largest_run(setup: Setup, scenario: Scenario, limits: Limits) -> ServerRun | None:
    """Return the run of LoadGen with the largest rate, or None if not even few requests are within the limits.

    Parameters
    ----------
    setup
        One copy of the model.
    scenario
        The task.
    limits
        Limits of a step at full load.

    Notes
    -----
    LoadGen sends requests as a Poisson process to a system that is empty at first, for DURATION_S, and counts all of
    them. Copies that take turns each receive every so manieth, so that the times between them have a gamma distribution
    with that shape. Submitters tune the token budget of a step: the best of the powers of two up to `limits` counts.
    """
    runs = [_run(setup, scenario, Limits(limits.batch, tokens)) for tokens in _budgets(limits)]
    return max((run for run in runs if run is not None), key=lambda run: run.tokens_per_s, default=None)


def _budgets(limits: Limits) -> list[int]:
    powers = range(LEAST_TOKENS.bit_length() - 1, limits.tokens.bit_length())
    return sorted({*(1 << power for power in powers if limits.batch <= 1 << power < limits.tokens), limits.tokens})


def _run(setup: Setup, scenario: Scenario, limits: Limits) -> ServerRun | None:
    server = Server(step_cost(setup, limits, graphs=True), limits, setup)
    capacity_per_s = server.capacity_per_s(scenario.input_len, scenario.output_len)
    drawn = draw(
        math.ceil(MOST_OVER * capacity_per_s * DURATION_S), (scenario.input_len, scenario.output_len), 0,
        burstiness=float(scenario.copies), distributions=(scenario.inputs, scenario.outputs),
    )  # fmt: skip

    def served(rate_per_s: float) -> Served:
        return server.serve(drawn.at(rate_per_s, math.ceil(rate_per_s * DURATION_S)))

    def is_met(rate_per_s: float) -> bool:
        run = served(rate_per_s)
        return scenario.target.is_met(run.ttft_s, run.tpot_s)

    rate_per_s = bisected(is_met, LEAST_FRAC * capacity_per_s, MOST_OVER * capacity_per_s)
    if rate_per_s is None:
        return None
    run = served(rate_per_s)
    return ServerRun(run.tokens_per_s, limits.tokens, run)
