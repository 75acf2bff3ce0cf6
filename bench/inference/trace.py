"""Continuous batching as a sequence of steps: what each step holds, without any time in it.

Which requests share a step depends on memory, batch and token budget, not on how fast the device is; so a trace is made
once and timed for any device and efficiency.
"""

from collections import deque
from dataclasses import dataclass, field

from hardware_profiles.errors import InputError


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a step.

    batch: sequences that run at once. tokens: tokens that one step may hold (decoding ones first, then prompts).
    """

    batch: int
    tokens: int


@dataclass(slots=True)
class Trace:
    """Steps in order, run-length coded; entry i stands for `steps[i]` steps alike.

    decoding: sequences that give one token each. context: tokens that these see together, mean over the entry's steps.
    prompt: prompt tokens read. prompt_pairs: query-key pairs of causal attention over these. outputs: sequences that
    need the output head (those that decode, and prompts that end here). first, last: requests whose first token, whose
    last token comes with this entry's last step.
    """

    input_len: int
    output_len: int
    requests: int
    steps: list[int] = field(default_factory=list)
    decoding: list[int] = field(default_factory=list)
    context: list[float] = field(default_factory=list)
    prompt: list[int] = field(default_factory=list)
    prompt_pairs: list[float] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)

    @property
    def output_tokens(self) -> int:
        """Tokens that all requests give together."""
        return self.requests * self.output_len


def trace(input_len: int, output_len: int, requests: int, limits: Limits, concurrency: int | None = None) -> Trace:
    """Return the steps that serve `requests` equal requests, all queued at the start.

    A request enters when a place in the batch is free (memory for its whole length is kept for it), reads its prompt in
    as many steps as the token budget needs, and gives its first token with the last of them.

    concurrency: requests that clients keep open at once, or None where all are queued.

    Raises
    ------
    InputError
        A length, a count or a limit below 1; a batch larger than the token budget.
    """
    for key, value in (("input", input_len), ("output", output_len), ("requests", requests),
                       ("batch limit", limits.batch), ("token budget", limits.tokens)):  # fmt: skip
        if value < 1:
            raise InputError(f"continuous batching: {key}: expected at least 1, got {value}")
    if concurrency is not None and concurrency < 1:
        raise InputError(f"continuous batching: concurrency: expected at least 1, got {concurrency}")
    places = min(limits.batch, requests, limits.tokens, concurrency or requests)
    return _Run(input_len, output_len, requests, places, limits.tokens).play()


class _Run:
    """The scheduler's state while a trace is made."""

    def __init__(self, input_len: int, output_len: int, requests: int, places: int, budget: int) -> None:
        self.out = Trace(input_len, output_len, requests)
        self.waiting, self.places, self.budget = requests, places, budget
        self.running: deque[tuple[int, int]] = deque()  # (step of the last token, requests), earliest first
        self.now = 0  # steps so far
        self.decoding = 0
        self.context = 0  # tokens in the caches of all that decode
        self.part = 0  # prompt tokens already read of the one request that is cut

    def play(self) -> Trace:
        while self.waiting or self.running:
            free = min(self.places - self.decoding, self.waiting)
            if free > 0 and self.budget > self.decoding:
                self._read_prompts(free)
            else:
                self._decode(self.running[0][0] - self.now)
        return self.out

    def _read_prompts(self, free: int) -> None:
        """Take one step that reads the prompts of up to `free` requests beside what decodes."""
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
        self._record(1, self.context + self.decoding, tokens, pairs, done)
        self._advance(1)
        self.waiting -= done
        if done and self.out.output_len == 1:
            self.out.last[-1] += done
        elif done:
            self.running.append((self.now + self.out.output_len - 1, done))
            self.decoding += done
            self.context += done * length

    def _decode(self, steps: int) -> None:
        """Take some steps in which all decode and nobody enters."""
        self._record(steps, self.context + self.decoding * (steps + 1) / 2, 0, 0.0, 0)
        self._advance(steps)

    def _record(self, steps: int, context: float, prompt: int, pairs: float, first: int) -> None:
        out = self.out
        out.steps.append(steps)
        out.decoding.append(self.decoding)
        out.context.append(context)
        out.prompt.append(prompt)
        out.prompt_pairs.append(pairs)
        out.outputs.append(self.decoding + first)
        out.first.append(first)
        out.last.append(0)

    def _advance(self, steps: int) -> None:
        self.now += steps
        self.context += self.decoding * steps
        while self.running and self.running[0][0] == self.now:
            _, count = self.running.popleft()
            self.decoding -= count
            self.context -= count * (self.out.input_len + self.out.output_len - 1)
            self.out.last[-1] += count
