"""Continuous batching of requests of unlike lengths, with its ramp and drain."""

import heapq
import math
from collections.abc import Sequence

from bench.inference.batching import Limits, StepTrace

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def uniform_lengths(input_len: int, output_len: int, requests: int) -> list[tuple[int, int]]:
    """Return lengths that are spread evenly from 0 to twice their means, at least 1, in an order without pattern."""
    places = [(index + 0.5) / requests for index in range(requests)]
    shuffled = sorted(range(requests), key=lambda index: (index + 1) * GOLDEN % 1.0)
    return [
        (max(1, round(2 * input_len * places[shuffled[index]])), max(1, round(2 * output_len * place)))
        for index, place in _interleaved(places)
    ]


def _interleaved(places: Sequence[float]) -> list[tuple[int, float]]:
    order = sorted(range(len(places)), key=lambda index: (index + 1) * math.sqrt(2.0) % 1.0)
    return [(index, places[order[index]]) for index in range(len(places))]


def varied_steps(lengths: Sequence[tuple[int, int]], limits: Limits, concurrency: int) -> StepTrace:
    """Return the steps that serve requests in their order, each with its input and output length [token].

    The rules are those of `trace_steps`, but memory is not a limit.
    """
    slots = min(limits.batch, limits.tokens, concurrency)
    return _Scheduler(list(lengths), slots, limits.tokens).run()


class _Scheduler:
    """The state of the scheduler."""

    def __init__(self, lengths: list[tuple[int, int]], slots: int, budget: int) -> None:
        count = len(lengths)
        means = [max(1, round(sum(length[part] for length in lengths) / count)) for part in (0, 1)]
        self.out = StepTrace(means[0], means[1], count, generated=sum(length[1] for length in lengths))
        self.lengths, self.slots, self.budget = lengths, slots, budget
        self.next = 0  # request that is read next
        self.part = 0  # tokens of its prompt that were read
        self.running: list[tuple[int, int]] = []  # (step of the last token, tokens in its cache then), a heap
        self.now = self.context = 0

    def run(self) -> StepTrace:
        while self.next < len(self.lengths) or self.running:
            decoding = len(self.running)
            if self.next < len(self.lengths) and decoding < self.slots and decoding < self.budget:
                self._read()
            else:
                steps = self.running[0][0] - self.now
                self._record(steps, self.context + decoding * (steps + 1) / 2, 0, 0.0, 0)
                self._advance(steps)
        return self.out

    def _read(self) -> None:
        left, free = self.budget - len(self.running), self.slots - len(self.running)
        prompt, pairs = 0, 0.0
        begun: list[tuple[int, int]] = []
        while left > 0 and len(begun) < free and self.next < len(self.lengths):
            length = self.lengths[self.next][0]
            take = min(left, length - self.part)
            pairs += take * self.part + take * (take + 1) / 2
            self.part, left, prompt = self.part + take, left - take, prompt + take
            if self.part == length:
                begun.append(self.lengths[self.next])
                self.next, self.part = self.next + 1, 0
        self._record(1, self.context + len(self.running), prompt, pairs, len(begun))
        self._advance(1)
        for length, answer in begun:
            if answer == 1:
                self.out.last[-1] += 1
                continue
            heapq.heappush(self.running, (self.now + answer - 1, length + answer - 1))
            self.context += length

    def _record(self, steps: int, context: float, prompt: int, pairs: float, first: int) -> None:
        self.out.add(steps, len(self.running), context, (prompt, pairs), first)

    def _advance(self, steps: int) -> None:
        self.now += steps
        self.context += len(self.running) * steps
        while self.running and self.running[0][0] == self.now:
            self.context -= heapq.heappop(self.running)[1]
            self.out.last[-1] += 1
