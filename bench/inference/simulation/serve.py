"""One simulation: requests in, the times of each out."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.inference.batching import Limits
from bench.inference.step_cost import StepCost
from hardware_profiles.errors import InputError

Array = NDArray[np.float64]
Lengths = NDArray[np.int64]

UNREACHED = 1 << 40  # [token] a window that no sequence fills


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests in the order of their arrival."""

    arrival_s: Array  # [s] ascending
    input_len: Lengths  # [token] of each prompt
    output_len: Lengths  # [token] of each answer
    growth: float = 1.0  # tokens of an answer that each step generates, above 1 with accepted drafts
    hit_frac: float = 0.0  # [-] share of each prompt that is in a cache already

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.input_len)


@dataclass(frozen=True, slots=True)
class Served:
    """The times of each request. A request takes 80 bytes of memory while it is simulated."""

    requests: Requests
    start_s: Array  # [s] when the reading of its prompt begins
    first_s: Array  # [s] end of the step with the first token
    last_s: Array  # [s] end of the step with the last token
    steps: int  # number of steps
    busy_s: float  # [s] time in which the server works
    in_service_s: float  # [s] integral over time of the requests that have started and not ended

    @property
    def ttft_s(self) -> Array:
        """Time from the arrival to the first token [s]."""
        return self.first_s - self.requests.arrival_s

    @property
    def tpot_s(self) -> Array:
        """Mean time between later tokens [s]; NaN for a single output token."""
        later = np.maximum(self.requests.output_len - 1, 1)
        return np.where(self.requests.output_len > 1, (self.last_s - self.first_s) / later, np.nan)

    @property
    def tokens_per_s(self) -> float:
        """Output tokens of the whole run over its time [token/s]."""
        return float(self.requests.output_len.sum() / self.last_s.max())


def fixed(count: int, length: int) -> Lengths:
    """Return equal lengths [token]."""
    return np.full(count, length, np.int64)


def serve(
    requests: Requests,
    cost: StepCost,
    limits: Limits,
    memory: tuple[NDArray[Any], float] | None = None,
    *,
    clients: int = 0,
) -> Served:
    """Simulate a server with continuous batching, one step after the other, from empty to empty.

    Parameters
    ----------
    requests
        The requests. With clients, the times of arrival follow from the simulation.
    cost
        The cost of a step within the limits.
    limits
        Limits of a step.
    memory
        Memory that each request reserves for its whole length, and the memory for all [byte]; None if only the batch is
        limited.
    clients
        Clients that keep one request open each, or 0 if requests arrive at their own times.

    Raises
    ------
    InputError
        A limit is below 1 or above the tables of the cost, or a request does not fit in memory.

    Notes
    -----
    The rules are those of batching.trace_steps. A step begins when the last one ends, or when a request arrives at an
    idle server. Requests are taken in the order of their arrival: one that does not fit holds up those behind it.
    """
    from bench.inference.simulation.events import run_steps

    count = len(requests)
    for key, value in (("requests", count), ("batch limit", limits.batch), ("token budget", limits.tokens)):
        if value < 1:
            raise InputError.at("simulation", key, expected="at least 1", got=value)
    slots, step_tokens = min(limits.batch, limits.tokens), cost.step_tokens
    reserved, most = (np.zeros(count), 0.0) if memory is None else memory
    needed, most_bytes = np.ceil(reserved).astype(np.int64), int(most)
    if needed.max() > most_bytes:
        raise InputError.at(
            "simulation", "memory", expected=f"at least the {needed.max():,} bytes of one request", got=most_bytes
        )
    drafted = (step_tokens - 1) * slots
    for table, most in (
        (cost.mixed_s, limits.tokens + drafted + (slots if cost.padding else 0)),
        (cost.decode_s, slots),
        (cost.head_s, slots),
    ):
        if len(table) <= most:  # compiled code checks no index
            raise InputError.at("simulation", "cost", expected=f"tables up to {most:,}", got=f"{len(table) - 1:,}")
    arrival_s = np.array(requests.arrival_s, dtype=np.float64)
    if clients:
        arrival_s[:clients], arrival_s[clients:] = 0.0, np.inf
    times_s = np.empty((3, count))
    prices = (
        float(cost.context_s), float(cost.windowed_s), int(cost.window or UNREACHED), float(cost.sequence_s),
        float(cost.pair_s), float(cost.windowed_pair_s), float(cost.host_step_s), float(cost.host_sequence_s),
        bool(cost.host_overlaps), step_tokens, float(requests.growth),
    )  # fmt: skip
    padding = cost.padding
    padded = (1, 0.0, 0) if padding is None else (padding.copies, padding.squared, padding.most_tokens)
    cached = (requests.hit_frac * requests.input_len).astype(np.int64)
    answer_steps = np.maximum(np.rint(requests.output_len / requests.growth), 1).astype(np.int64)
    steps, busy_s, in_service_s = run_steps(
        arrival_s, (requests.input_len, cached, answer_steps), needed, min(clients, count),
        (slots, limits.tokens, most_bytes), (cost.mixed_s, cost.decode_s, cost.head_s),
        prices, padded, times_s,
    )  # fmt: skip
    return Served(
        replace(requests, arrival_s=arrival_s), times_s[0], times_s[1], times_s[2], steps, busy_s, in_service_s
    )
