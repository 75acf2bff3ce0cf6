"""The window in which a batch is full, of a run whose requests are all sent at once."""

import heapq
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.inference.columns.row import Spread
from bench.inference.traces.varied import GOLDEN

Array = NDArray[np.float64]

BLOCK = 16  # tokens of a block of vLLM's cache, which is reused as a whole


@dataclass(frozen=True, slots=True)
class Window:
    """What a step in the window has on average."""

    context: float  # [token] in the cache of a sequence
    starts: float  # requests that begin
    cached_frac: float = 0.0  # [-] share of their prompts' tokens that are in the cache already


@dataclass(frozen=True, slots=True)
class FullRun:
    """A run whose requests are all sent at once, to a server with a limit of its sequences."""

    input_len: int  # [token] mean of a prompt
    output_len: int  # [token] mean of an answer
    spread: Spread  # of the answers' lengths
    requests: int  # number of requests
    prompts: int  # number of different prompts, which are sent in turn
    slots: int  # sequences that run at once
    most: int  # limit of the server
    budget: int  # tokens of a step
    caches: int  # copies of attention, each with a cache of its own, to which requests go at random


@cache
def full_window(run: FullRun, memory_tokens: int) -> Window:
    """Return the mean of the steps from the first token of the request that fills the batch to the first free slot.

    At the start contexts are short, and the answers that end first are the short ones, so that a window of few rounds
    differs from a batch that stays full for ever.

    Parameters
    ----------
    run
        The run. The window begins when as many requests as the server's limit have their first token, and ends when all
        but so many have ended.
    memory_tokens
        Tokens that fit in the memory for keys and values.
    """
    answers = spread_lengths(run.output_len, run.spread, run.requests)
    begins = np.ceil(np.arange(1, run.requests + 1) * (run.input_len / max(1.0, run.budget - run.slots / 2.0)))
    running: list[float] = []
    for index in range(run.requests):
        if index >= run.slots:
            begins[index] = max(begins[index], heapq.heappop(running) + 1.0)
        heapq.heappush(running, begins[index] + answers[index] - 1.0)
    ends = begins + answers - 1.0
    first = float(np.sort(begins)[min(run.most, run.requests) - 1])
    last = max(first + 1.0, float(np.sort(ends)[max(0, run.requests - run.most - 2)]))
    low, high = np.maximum(begins, first), np.minimum(ends, last)
    held = np.maximum(high - low, 0.0)
    context = run.input_len + float(held @ ((low + high) / 2.0 - begins)) / max(float(np.sum(held)), 1.0)
    within = np.flatnonzero((begins > first) & (begins <= last))
    cached = _cached_frac(run, within, begins, ends, memory_tokens - run.slots * context) if len(within) else 0.0
    return Window(context, len(within) / (last - first), cached)


def _cached_frac(run: FullRun, which: NDArray[Any], begins: Array, ends: Array, free_tokens: float) -> float:
    """Return the share of some requests' prompts that is in the cache, because the same prompt was sent before.

    It is if the request before still runs, or if what began since its end fits in the free memory, whose least recently
    used blocks are taken first. Of several caches, the request before used the same one by chance.
    """
    again = which[which >= run.prompts]
    before = again - run.prompts
    since = np.searchsorted(np.sort(begins), begins[again]) - np.searchsorted(np.sort(begins), ends[before])
    kept = since * (run.input_len + run.output_len) <= max(0.0, free_tokens)
    whole_blocks = run.input_len // BLOCK * BLOCK / run.input_len
    same = 1.0 - (1.0 - 1.0 / run.caches) ** (again // run.prompts)
    return float(np.sum(kept * same)) / len(which) * whole_blocks


def spread_lengths(mean: int, spread: Spread, count: int) -> Array:
    """Return lengths at even quantiles of a distribution, in an order without pattern."""
    places = (np.arange(count) + 0.5) / count
    order = np.argsort((np.arange(1, count + 1) * GOLDEN * math.sqrt(2.0)) % 1.0, kind="stable")
    shapes = {"equal": np.ones(count), "uniform": 2.0 * places, "exponential": -np.log1p(-places)}
    lengths = shapes[spread]
    return np.maximum(1.0, np.round(lengths * mean / float(np.mean(lengths))))[order]
