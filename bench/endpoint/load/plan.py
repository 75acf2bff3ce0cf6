"""The plan of a load: who sends which request when, drawn in advance from a seed."""

import math
import random
from dataclasses import dataclass

from bench.endpoint.client.prompts import PromptSource
from bench.endpoint.client.requests import Service


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """The part of a load that one process carries; it travels there as JSON."""

    service: Service
    ip: str
    tls: bool
    ca_file: str  # certificates to trust, or empty for the system's
    prompts: PromptSource
    output_lengths: tuple[int, ...]  # [token] of the requests in turn, by their index
    slots: tuple[int, ...] = ()  # closed loop: numbers of the slots; each sends its next request when one ends
    stagger_s: float = 0.0  # [s] from the start of one slot to the next
    arrivals_s: tuple[float, ...] = ()  # open loop: times of the requests after the start
    first_index: int = 0  # of the requests, with `index_step` unique among all processes
    index_step: int = 1
    timeout_s: float = 600.0


def arrival_times_s(rate_per_s: float, seconds: float, seed: str, burstiness: float = 1.0) -> list[float]:
    """Return the arrival times of an open loop [s].

    Parameters
    ----------
    rate_per_s
        Mean number of requests per second.
    seconds
        Length of the schedule [s].
    seed
        Seed of the schedule.
    burstiness
        Shape of the gamma-distributed gaps [-]: 1 is a Poisson process, less is burstier, more is more even.

    Raises
    ------
    ValueError
        A figure is not above 0.
    """
    if not (rate_per_s > 0.0 and seconds > 0.0 and burstiness > 0.0 and math.isfinite(rate_per_s * seconds)):
        raise ValueError("expected a rate, a length and a burstiness above 0")
    generator = random.Random(seed)  # noqa: S311 (a load, no secret)
    times, now = [], 0.0
    while (now := now + generator.gammavariate(burstiness, 1.0 / (rate_per_s * burstiness))) < seconds:
        times.append(now)
    return times
