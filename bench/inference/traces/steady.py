"""The mean steps of a batch that stays full: some only decode, others read the prompts of requests that just came."""

import math

from bench.inference.batching import Limits, StepTrace
from bench.inference.columns.row import Spread

SHARES = 1_000_000  # entries are weighted by whole numbers of so many steps
VARIATION = {"equal": 0.0, "uniform": 1.0 / math.sqrt(3.0), "exponential": 1.0}  # coefficient of variation of lengths


def steady_steps(input_len: int, output_len: int, batch: int, limits: Limits, spread: Spread) -> StepTrace:
    """Return the mix of steps in which a batch is always full.

    The number of requests that end in a step, and of those that take their place, is random with the mean batch /
    output_len (Poisson). A sequence's mean context counts long answers by their length: it is the input and, of outputs
    with the coefficient of variation v, (1 + v^2) / 2 of their mean.
    """
    ends = batch / output_len
    context = input_len + output_len * (1.0 + VARIATION[spread] ** 2) / 2.0
    trace = StepTrace(input_len, output_len, batch, generated=batch * SHARES)
    most = max(0, (limits.tokens - batch) // input_len)
    weight, count, left = math.exp(-ends), 0, SHARES
    while left > 0:
        read = min(count, most) if most else min(count, 1)
        steps = min(left, round(weight * SHARES)) if count < most or not most else left
        beyond = count > ends and weight * SHARES < 1.0
        steps = left if beyond else steps
        if steps:
            pairs = read * input_len * (input_len + 1) / 2.0
            # a step that reads prompts generates their first tokens, so that the others are fewer by as many
            trace.add(steps, max(0, batch - read), max(0, batch - read) * context, (read * input_len, pairs), 0)
            trace.outputs[-1] = batch
        left -= steps
        count += 1
        weight *= ends / count
    return trace
