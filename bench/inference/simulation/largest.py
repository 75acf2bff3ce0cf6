"""The largest rate of requests whose latencies stay within limits."""

import math
from dataclasses import dataclass

import numpy as np

from bench.inference.simulation.arrivals import Drawn
from bench.inference.simulation.bisection import bisected
from bench.inference.simulation.serve import Array, Served
from bench.inference.simulation.server import Server
from bench.inference.simulation.spread import Estimate

SECTIONS = 8  # parts of the requests, whose largest rates differ by chance
STUDENT_T = 2.365  # quantile 0.975 of Student's t with SECTIONS - 1 degrees of freedom
LEAST_FRAC = 1e-3  # [-] rate over the capacity at which requests hardly meet
WARM_UP_FRAC, COOL_DOWN_FRAC = 0.1, 0.05  # [-] requests that only make the load for the others


@dataclass(frozen=True, slots=True)
class Target:
    """Limits of a quantile of the latencies."""

    level: float  # [-] quantile, 0 to 1
    ttft_s: float | None  # [s] None for any
    tpot_s: float | None  # [s] None for any

    @property
    def words(self) -> str:
        """The limits in words."""
        quantile = f"q{100 * self.level:g}"
        parts = (("TTFT", self.ttft_s), ("TPOT", self.tpot_s))
        return " and ".join(f"{name} {quantile} <= {limit * 1e3:g} ms" for name, limit in parts if limit is not None)

    def is_met(self, ttft_s: Array, tpot_s: Array) -> bool:
        """Return whether some requests are within the limits."""
        return all(
            limit is None or not len(times) or bool(np.quantile(times, self.level) <= limit)
            for times, limit in ((ttft_s, self.ttft_s), (tpot_s[~np.isnan(tpot_s)], self.tpot_s))
        )


def steady(count: int) -> slice:
    """Return the requests that are counted: not the first, for which the server is empty, and not the last."""
    return slice(int(WARM_UP_FRAC * count), count - int(COOL_DOWN_FRAC * count))


def meets(served: Served, target: Target) -> bool:
    """Return whether the counted requests are within the limits."""
    counted = steady(len(served.requests))
    return target.is_met(served.ttft_s[counted], served.tpot_s[counted])


def largest_rate(server: Server, drawn: Drawn, target: Target, capacity_per_s: float) -> Estimate | None:
    """Return the largest rate at which requests are within the limits [1/s], or None if not even few are.

    Parameters
    ----------
    server
        The server.
    drawn
        The requests.
    target
        The limits.
    capacity_per_s
        The rate that the server cannot exceed.

    Notes
    -----
    The requests are simulated at several rates with the same random numbers, so that latencies grow with the rate but
    for little, and the rate is bisected. The 95 % interval follows from the largest rates of SECTIONS parts of the
    requests, each simulated by itself.
    """

    def found(part: Drawn, near: float | None = None) -> float | None:
        def is_met(rate_per_s: float) -> bool:
            return meets(server.serve(part.at(rate_per_s)), target)

        return bisected(is_met, LEAST_FRAC * capacity_per_s, capacity_per_s, near)

    rate = found(drawn)
    if rate is None:
        return None
    parts = [found(part, rate) or LEAST_FRAC * capacity_per_s for part in drawn.sections(SECTIONS)]
    half = STUDENT_T * float(np.std(parts, ddof=1)) / math.sqrt(SECTIONS)
    return Estimate(rate, max(rate - half, 0.0), min(rate + half, capacity_per_s))
