"""How a router spreads tokens over the experts of a layer, if each token picks its experts at random and evenly.

Real routers are less even. Models that limit a token to some groups of experts (DeepSeek V3) spread it less over ranks.
"""

import math
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from kernels.errors import KernelInputError
from kernels.llm.shapes import ModelShape

Array = NDArray[np.float64]

# a load further from its mean than this many standard deviations, and this many rows, does not matter
_FAR_DEVIATIONS, _FAR_ROWS = 10.0, 25.0
_FEW_TOKENS = 16  # up to which a rank's load is computed token by token


def expected_experts(shape: ModelShape, tokens: int) -> float:
    """Return the expected number of experts of a layer that some tokens use, if routing is even and random."""
    if not shape.is_moe:
        return 1.0
    return shape.experts * (1.0 - (1.0 - shape.active_experts / shape.experts) ** tokens)


def expected_tiles(shape: ModelShape, tokens: int, tile_rows: int) -> float:
    """Return the expected number of row tiles of a layer's grouped product.

    A kernel computes whole tiles of rows for each expert that has any row, so that the tiles together have
    `tile_rows` x the result rows where a dense product would have tokens x active experts.

    Parameters
    ----------
    shape
        The model.
    tokens
        Tokens of the step.
    tile_rows
        Rows of a tile.

    Raises
    ------
    KernelInputError
        `tokens` is negative, or `tile_rows` is below 1.
    """
    _check(shape, tokens)
    if tile_rows < 1:
        raise KernelInputError(f"tile_rows: expected at least 1, got {tile_rows}")
    rows, chance = _load(shape, tokens, shape.experts)
    return shape.experts * float(np.ceil(rows / tile_rows) @ chance)


def expected_largest_load(shape: ModelShape, tokens: int, groups: int | None = None) -> float:
    """Return the expected number of rows of the busiest expert, or of the busiest rank of experts.

    The groups are equal parts of the experts. A row is one token at one expert, so that all groups together have
    tokens x active experts.

    Parameters
    ----------
    shape
        The model.
    tokens
        Tokens of the step.
    groups
        Ranks that share the experts of a layer; None means that each expert is a group.

    Raises
    ------
    KernelInputError
        `tokens` is negative, or the groups do not divide the experts.

    Notes
    -----
    The largest of n independent loads exceeds the mean by what it would for the distribution of one load; because the
    loads have a fixed sum, any two have the correlation -1 / (n - 1), which makes the excess sqrt(n / (n - 1)) times
    larger. That is exact for normal loads and within 5 % of a simulation for the models of this package.
    """
    _check(shape, tokens)
    groups = groups or shape.experts
    if shape.experts % groups:
        raise KernelInputError(
            f"model {shape.name}: ranks: expected a divisor of experts = {shape.experts}, got {groups}"
        )
    mean = tokens * shape.active_experts / groups
    if groups == 1 or tokens == 0:
        return mean
    rows, chance = _load(shape, tokens, groups)
    below = np.minimum(np.cumsum(chance), 1.0) ** groups  # chance that all loads are at most `rows`
    largest = float(rows[0] + np.sum(1.0 - below))
    most = tokens * min(shape.active_experts, shape.experts // groups)
    return min(max(mean + (largest - mean) * math.sqrt(groups / (groups - 1)), math.ceil(mean)), most)


def _check(shape: ModelShape, tokens: int) -> None:
    if tokens < 0:
        raise KernelInputError(f"model {shape.name}: tokens: expected 0 or more, got {tokens}")


def _load(shape: ModelShape, tokens: int, groups: int) -> tuple[Array, Array]:
    """Return the rows that one group of experts can get, and the chance of each.

    For one expert that is the binomial distribution. A rank gets a hypergeometric number of each token's experts; the
    sum over many tokens is close to the binomial distribution of the same mean and variance.
    """
    if groups < shape.experts and 0 < tokens <= _FEW_TOKENS:
        one = _rows_of_one_token(shape, groups)
        chance = reduce(np.convolve, [one] * tokens)
        return np.arange(chance.size, dtype=float), chance
    share, active = 1.0 / groups, shape.active_experts
    mean = tokens * active * share
    spread = (1.0 - share) * (shape.experts - active) / max(1, shape.experts - 1)  # variance over mean
    if mean == 0.0 or spread == 0.0:
        return np.array([mean]), np.ones(1)
    trials = mean / (1.0 - spread)
    far = _FAR_DEVIATIONS * math.sqrt(mean * spread) + _FAR_ROWS
    first, last = max(0, math.floor(mean - far)), min(math.floor(trials), math.ceil(mean + far))
    rows = np.arange(first, last + 1, dtype=float)
    steps = np.log((trials - rows[:-1]) / (rows[:-1] + 1.0)) + math.log((1.0 - spread) / spread)
    logs = np.concatenate(([0.0], np.cumsum(steps)))
    chance = np.exp(logs - logs.max())
    return rows, chance / chance.sum()


def _rows_of_one_token(shape: ModelShape, groups: int) -> Array:
    """Return the chance that one token picks 0, 1, 2, ... of the experts of a group."""
    size, active = shape.experts // groups, shape.active_experts
    ways = [math.comb(size, k) * math.comb(shape.experts - size, active - k) for k in range(min(size, active) + 1)]
    return np.array(ways, dtype=float) / math.comb(shape.experts, active)
