"""The Server scenario of MLPerf: the largest rate of random requests whose latencies stay within a task's limits."""

import math
from dataclasses import dataclass

from bench.inference.batching import Limits
from bench.inference.columns.mlperf import distributions_of, target_of
from bench.inference.columns.row import Row
from bench.inference.predict import full_load_limits
from bench.inference.serving import Setup
from bench.inference.simulation.arrivals import Quantiles, draw
from bench.inference.simulation.bisection import bisected
from bench.inference.simulation.largest import Target
from bench.inference.simulation.serve import Served
from bench.inference.simulation.server import Server
from bench.inference.terms.constants import Constants
from bench.inference.timing import step_cost

DURATION_S = 600.0  # the least that LoadGen allows (min_duration of mlperf.conf)
LEAST_REQUESTS = 20_000  # so that 200 of them decide the quantile 0.99
LEAST_TOKENS = 1024  # smallest token budget that is tried
MOST_OVER = 1.3  # rate over the capacity that no run of DURATION_S can have within the limits
LEAST_FRAC = 1e-3  # [-] of the capacity


Distributions = tuple[Quantiles | None, Quantiles | None]  # of the lengths of prompts and answers


@dataclass(frozen=True, slots=True)
class Scenario:
    """A task under its latency limits."""

    lengths: tuple[int, int]  # [token] mean of prompts and answers
    distributions: Distributions  # None for equal lengths
    target: Target
    copies: int  # of the model, which take turns at the requests


@dataclass(frozen=True, slots=True)
class ServerRun:
    """The run with the largest rate, of one copy of the model."""

    rate_per_s: float  # [1/s] requests
    tokens_per_s: float  # [output token/s] completed
    tokens: int  # [token] budget of a step that allows this rate
    served: Served


def scenario_of(row: Row, copies: int) -> Scenario | None:
    """Return the scenario of a published row, or None for a row without random arrivals."""
    target = target_of(row.model_name, row.load) if row.separate else None
    if target is None or row.input_len is None or row.output_len is None:
        return None
    return Scenario((row.input_len, row.output_len), distributions_of(row.model_name), target, copies)


def largest_run(setup: Setup, scenario: Scenario, constants: Constants | None = None) -> ServerRun | None:
    """Return the run of LoadGen with the largest rate, or None if not even few requests are within the limits.

    Parameters
    ----------
    setup
        One copy of the model.
    scenario
        The task.
    constants
        Constants other than the setup's own.

    Notes
    -----
    LoadGen sends requests as a Poisson process to a system that is empty at first, for DURATION_S, and counts all of
    them; a run of fewer than LEAST_REQUESTS is longer here, because few requests would decide. Copies that take turns
    receive one of so many requests each, so that the times between them have a gamma distribution with that shape.
    Submitters tune the token budget of a step: the best of the powers of two up to that of a full load
    counts.
    """
    limits = full_load_limits(setup, *scenario.lengths)
    best: ServerRun | None = None
    for tokens in _budgets(limits):
        least_per_s = 0.0 if best is None else best.rate_per_s
        best = _run(setup, scenario, Limits(limits.batch, tokens), constants, least_per_s) or best
    return best


def _budgets(limits: Limits) -> list[int]:
    """Return the token budgets that are tried, the largest first."""
    powers = range(LEAST_TOKENS.bit_length() - 1, limits.tokens.bit_length())
    return sorted(
        {*(1 << power for power in powers if limits.batch <= 1 << power < limits.tokens), limits.tokens}, reverse=True
    )


def _run(
    setup: Setup, scenario: Scenario, limits: Limits, constants: Constants | None, least_per_s: float
) -> ServerRun | None:
    """Return the run with the largest rate for a token budget, or None if it is not above `least_per_s`."""
    server = Server(step_cost(setup, limits, graphs=True, constants=constants), limits, setup)
    capacity_per_s = server.capacity_per_s(*scenario.lengths)
    drawn = draw(
        _requests(MOST_OVER * capacity_per_s), scenario.lengths, 0,
        burstiness=float(scenario.copies), distributions=scenario.distributions,
    )  # fmt: skip

    def served(rate_per_s: float) -> Served:
        return server.serve(drawn.at(rate_per_s, _requests(rate_per_s)))

    def is_met(rate_per_s: float) -> bool:
        run = served(rate_per_s)
        return scenario.target.is_met(run.ttft_s, run.tpot_s)

    least_per_s, most_per_s = max(LEAST_FRAC * capacity_per_s, least_per_s), MOST_OVER * capacity_per_s
    rate_per_s = bisected(is_met, least_per_s, most_per_s) if least_per_s < most_per_s else None
    if rate_per_s is None:
        return None
    run = served(rate_per_s)
    return ServerRun(rate_per_s, run.tokens_per_s, limits.tokens, run)


def _requests(rate_per_s: float) -> int:
    return max(math.ceil(rate_per_s * DURATION_S), LEAST_REQUESTS)
