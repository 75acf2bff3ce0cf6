"""What a run asks of a server: the load, its lengths and its limits."""

import math
import os
from dataclasses import dataclass, field

from bench.endpoint.client.probe import Capabilities, probe
from bench.endpoint.client.requests import Interface, spread_lengths
from bench.endpoint.client.target import Target
from bench.endpoint.figures.summary import Limits
from bench.endpoint.load.plan import arrival_times_s
from bench.endpoint.load.trace import MOST_ARRIVALS, Trace
from hardware_profiles.errors import InputError

WARM_UP_S = 600.0  # [s] longest warm-up
LENGTHS = 64  # output lengths in turn


@dataclass(frozen=True, slots=True)
class Setting:
    """What the user asks of the server."""

    target: Target
    model: str | None
    prompt_tokens: int
    output_tokens: int
    seed: str
    concurrency: int | None = None  # requests at a time (closed loop), or
    rate_per_s: float | None = None  # requests a second (open loop)
    burstiness: float = 1.0  # of the open loop: 1 is a Poisson process
    schedule_s: float = 3600.0  # [s] length of the schedule of an open loop
    trace: Trace | None = None  # its requests, instead of a rate (open loop)
    interface: Interface | None = None
    texts: tuple[str, ...] = ()  # the user's own prompts
    free_length: bool = False  # whether the model may end by itself
    limits: Limits = field(default_factory=Limits)
    processes: int | None = None
    is_mix: bool = False  # whether other mixes of lengths are measured in the same run
    timeout_s: float = 600.0
    warm_up_s: float = WARM_UP_S  # [s] longest warm-up

    @property
    def prompt_lengths(self) -> tuple[int, ...]:
        """The lengths of prompts in turn [token]."""
        if self.trace is None or self.trace.input_lengths is None:
            return (self.prompt_tokens,)
        return self.trace.input_lengths

    @property
    def output_lengths(self) -> tuple[int, ...]:
        """The output lengths in turn [token], in an order that hides no pattern."""
        if self.trace is not None and self.trace.output_lengths is not None:
            return self.trace.output_lengths
        order = [math.modf((i + 0.5) * 0.6180339887498949)[0] for i in range(LENGTHS)]
        return tuple(spread_lengths(self.output_tokens, LENGTHS, order))

    def arrival_times_s(self) -> list[float]:
        """Return the times of the requests of an open loop [s] after its start."""
        if self.trace is not None:
            return [arrival.at_s for arrival in self.trace.arrivals]
        rate_per_s = self.rate_per_s or 0.0
        return arrival_times_s(rate_per_s, min(self.schedule_s, MOST_ARRIVALS / rate_per_s), self.seed, self.burstiness)

    def ask(self) -> Capabilities:
        """Ask the server what it accepts.

        Raises
        ------
        InputError
            The model is unknown, or the lengths exceed its context.
        RunFailedError
            The server does not answer, or refuses the plainest request.
        """
        known = probe(self.target, self.model, self.seed, self.interface)
        prompt_tokens = 0 if self.texts else max(self.prompt_lengths)  # the length of one's own prompts is unknown
        context, longest = known.largest_context, prompt_tokens + max(self.output_lengths)
        if context is not None and longest > context:
            expected = f"at most {context:,} tokens together, as the server states"
            raise InputError.at("--input and --output", expected=expected, got=f"up to {longest:,}")
        return known


def new_seed() -> str:
    """Return a seed for prompts that no earlier run has used."""
    return os.urandom(8).hex()
