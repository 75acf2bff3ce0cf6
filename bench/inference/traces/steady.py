"""The mean steps of a batch that stays full: some only decode, others read the prompts of requests that just came."""

import math

from bench.inference.batching import Limits, StepTrace
from bench.inference.columns.row import Spread
from bench.inference.traces.window import Window

SHARES = 1_000_000  # entries are weighted by whole numbers of so many steps
VARIATION = {"equal": 0.0, "uniform": 1.0 / math.sqrt(3.0), "exponential": 1.0}  # coefficient of variation of lengths


def steady_window(input_len: int, output_len: int, batch: int, spread: Spread) -> Window:
    """Return the mean step of a batch that stays full for ever.

    A sequence's mean context counts long answers by their length: it is the input and, of outputs with the coefficient
    of variation v, (1 + v^2) / 2 of their mean.
    """
    return Window(input_len + output_len * (1.0 + VARIATION[spread] ** 2) / 2.0, batch / output_len)


def steady_steps(input_len: int, output_len: int, batch: int, limits: Limits, window: Window) -> StepTrace:
    """Return the mix of steps in which a batch is full.

    The number of requests that begin in a step is random (Poisson).
    """
    ends, context = window.starts, window.context
    fresh = max(1, round(input_len * (1.0 - window.cached_frac)))  # tokens of a prompt that are read
    trace = StepTrace(input_len, output_len, batch, generated=batch * SHARES)
    most = max(0, (limits.tokens - batch) // fresh)
    weight, count, left = math.exp(-ends), 0, SHARES
    while left > 0:
        read = min(count, most) if most else min(count, 1)
        steps = min(left, round(weight * SHARES)) if count < most or not most else left
        beyond = count > ends and weight * SHARES < 1.0
        steps = left if beyond else steps
        if steps:
            pairs = read * (fresh * (input_len - fresh) + fresh * (fresh + 1) / 2.0)
            # a step that reads prompts generates their first tokens, so that the others are fewer by as many
            trace.add(steps, max(0, batch - read), max(0, batch - read) * context, (read * fresh, pairs), 0)
            trace.outputs[-1] = batch
        left -= steps
        count += 1
        weight *= ends / count
    return trace
