"""Continuous batching as a sequence of steps, without their times.

The requests of a step depend on memory, batch limit and token budget, but not on the speed of the device. One trace can
therefore be timed for any device and efficiency.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hardware_profiles.errors import InputError


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a step."""

    batch: int  # sequences that run at once
    tokens: int  # tokens of one step: first those of decoding sequences, then prompts


@dataclass(frozen=True, slots=True)
class Columns:
    """The entries of a trace as arrays."""

    steps: NDArray[np.float64]
    decoding: NDArray[np.int64]
    context: NDArray[np.float64]
    prompt: NDArray[np.int64]
    prompt_pairs: NDArray[np.float64]
    outputs: NDArray[np.int64]


@dataclass(slots=True)
class StepTrace:
    """The steps in order, run-length encoded: entry i stands for `steps[i]` equal steps."""

    input_len: int  # [token] of each prompt
    output_len: int  # [token] that each request generates
    requests: int  # number of requests
    steps: list[int] = field(default_factory=list)  # number of equal steps of each entry
    decoding: list[int] = field(default_factory=list)  # sequences that generate one token each
    context: list[float] = field(default_factory=list)  # tokens in their caches, the mean over the entry's steps
    prompt: list[int] = field(default_factory=list)  # prompt tokens that are read
    prompt_pairs: list[float] = field(default_factory=list)  # query-key pairs of causal attention over them
    outputs: list[int] = field(default_factory=list)  # sequences that need the output head
    first: list[int] = field(default_factory=list)  # requests whose first token comes with the entry's last step
    last: list[int] = field(default_factory=list)  # requests whose last token comes with the entry's last step
    generated: int | None = None  # tokens of all requests, if they are not equal
    _columns: Columns | None = None

    @property
    def output_tokens(self) -> int:
        """Tokens that all requests generate together."""
        return self.requests * self.output_len if self.generated is None else self.generated

    def columns(self) -> Columns:
        """Return the entries as arrays; the trace must be complete."""
        if self._columns is None or len(self._columns.steps) != len(self.steps):
            self._columns = Columns(
                steps=np.asarray(self.steps, dtype=float),
                decoding=np.asarray(self.decoding, dtype=np.int64),
                context=np.asarray(self.context, dtype=float),
                prompt=np.asarray(self.prompt, dtype=np.int64),
                prompt_pairs=np.asarray(self.prompt_pairs, dtype=float),
                outputs=np.asarray(self.outputs, dtype=np.int64),
            )
        return self._columns

    def add(self, steps: int, decoding: int, context: float, read: tuple[int, float], first: int) -> None:
        """Add an entry after which no request ends; `read` has the prompts' tokens and query-key pairs."""
        self.steps.append(steps)
        self.decoding.append(decoding)
        self.context.append(context)
        self.prompt.append(read[0])
        self.prompt_pairs.append(read[1])
        self.outputs.append(decoding + first)
        self.first.append(first)
        self.last.append(0)


def trace_steps(  # noqa: PLR0913 (a load has that many numbers)
    input_len: int,
    output_len: int,
    requests: int,
    limits: Limits,
    concurrency: int | None = None,
    *,
    growth: float = 1.0,
    cached: int = 0,
) -> StepTrace:
    """Return the steps that serve equal requests.

    A request enters when a slot of the batch is free, which reserves memory for its whole length. It reads its prompt
    in as many steps as the token budget needs, and generates its first token with the last of them.

    Parameters
    ----------
    input_len, output_len
        Tokens of the prompt and of the answer.
    requests
        Number of requests.
    limits
        Limits of a step.
    concurrency
        Requests that clients keep open at once, or None if all are queued at the start.
    growth
        Tokens that a step generates for each decoding sequence, above 1 with accepted drafts.
    cached
        Tokens of each prompt whose keys and values are in a cache already, so that they are not read.

    Raises
    ------
    InputError
        A length, a number or a limit is below 1.
    """
    for key, value in (("input", input_len), ("output", output_len), ("requests", requests),
                       ("batch limit", limits.batch), ("token budget", limits.tokens)):  # fmt: skip
        if value < 1:
            raise InputError(f"continuous batching: {key}: expected at least 1, got {value}")
    if concurrency is not None and concurrency < 1:
        raise InputError(f"continuous batching: concurrency: expected at least 1, got {concurrency}")
    slots = min(limits.batch, requests, limits.tokens, concurrency or requests)
    scheduler = _Scheduler(input_len - cached, max(1, round(output_len / growth)), requests, slots, limits.tokens)
    scheduler.cached, scheduler.growth = cached, growth
    trace = scheduler.run()
    trace.input_len, trace.output_len = input_len, output_len
    return trace


class _Scheduler:
    """The state of the scheduler."""

    def __init__(self, input_len: int, output_len: int, requests: int, slots: int, budget: int) -> None:
        self.out = StepTrace(input_len, output_len, requests)
        self.waiting, self.slots, self.budget = requests, slots, budget
        self.running: deque[tuple[int, int]] = deque()  # (step of the last token, requests), earliest first
        self.now = 0  # steps so far
        self.decoding = 0
        self.context = 0.0  # tokens in the caches of all decoding sequences
        self.growth, self.cached = 1.0, 0
        self.part = 0  # prompt tokens already read of the request that is split over steps

    def run(self) -> StepTrace:
        while self.waiting or self.running:
            free = min(self.slots - self.decoding, self.waiting)
            if free > 0 and self.budget > self.decoding:
                self._read_prompts(free)
            else:
                self._decode(self.running[0][0] - self.now)
        return self.out

    def _read_prompts(self, free: int) -> None:
        """Take one step that reads the prompts of up to `free` requests while the others decode."""
        length = self.out.input_len
        tokens = min(self.budget - self.decoding, free * length - self.part)
        done, pairs, left = 0, 0.0, tokens
        while left > 0:
            if self.part == 0 and left >= length:
                whole = left // length
                pairs += whole * length * (length + 1) / 2
                done, left = done + whole, left - whole * length
                continue
            take = min(left, length - self.part)
            pairs += take * self.part + take * (take + 1) / 2
            self.part, left = self.part + take, left - take
            if self.part == length:
                done, self.part = done + 1, 0
        pairs += float(tokens) * self.cached
        self._record(1, self.context + self.decoding, tokens, pairs, done)
        self._advance(1)
        self.waiting -= done
        if done and self.out.output_len == 1:
            self.out.last[-1] += done
        elif done:
            self.running.append((self.now + self.out.output_len - 1, done))
            self.decoding += done
            self.context += done * (length + self.cached)

    def _decode(self, steps: int) -> None:
        """Take some steps in which all sequences decode and no request enters."""
        self._record(steps, self.context + self.growth * self.decoding * (steps + 1) / 2, 0, 0.0, 0)
        self._advance(steps)

    def _record(self, steps: int, context: float, prompt: int, pairs: float, first: int) -> None:
        self.out.add(steps, self.decoding, context, (prompt, pairs), first)

    def _advance(self, steps: int) -> None:
        self.now += steps
        self.context += self.growth * self.decoding * steps
        while self.running and self.running[0][0] == self.now:
            _, count = self.running.popleft()
            self.decoding -= count
            self.context -= count * (self.out.input_len + self.cached + self.growth * (self.out.output_len - 1))
            self.out.last[-1] += count
