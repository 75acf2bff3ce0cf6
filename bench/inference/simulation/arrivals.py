"""Requests that arrive at random times, with fixed or random lengths."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.inference.simulation.serve import Array, Lengths, Requests, fixed
from hardware_profiles.errors import InputError


@dataclass(frozen=True, slots=True)
class Drawn:
    """The random part of some requests, without their rate: two rates are compared with the same numbers."""

    gaps: Array  # time between arrivals over its mean
    input_len: Lengths  # [token] of each prompt
    output_len: Lengths  # [token] of each answer

    def at(self, rate_per_s: float, count: int | None = None) -> Requests:
        """Return the first `count` requests at a rate [1/s]."""
        return Requests(np.cumsum(self.gaps[:count]) / rate_per_s, self.input_len[:count], self.output_len[:count])

    def sections(self, number: int) -> "list[Drawn]":
        """Return parts of equal numbers of requests, in order."""
        parts = (np.array_split(column, number) for column in (self.gaps, self.input_len, self.output_len))
        return [Drawn(*part) for part in zip(*parts, strict=True)]


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A distribution of lengths by its quantiles, with straight lines between them."""

    levels: tuple[float, ...]  # [-] from 0 to 1
    lengths: tuple[float, ...]  # [token]

    def draw(self, generator: np.random.Generator, count: int, mean: float) -> Lengths:
        """Return random lengths, scaled to a mean [token]."""
        between = np.diff(self.levels) @ (np.add(self.lengths[1:], self.lengths[:-1]) / 2.0)
        drawn = np.interp(generator.random(count), self.levels, self.lengths) * (mean / between)
        return np.maximum(np.rint(drawn), 1).astype(np.int64)


def draw(
    count: int,
    lengths: tuple[int, int],
    seed: int | Sequence[int],
    *,
    burstiness: float = 1.0,
    distributions: tuple[Quantiles | None, Quantiles | None] = (None, None),
) -> Drawn:
    """Return random requests; the same arguments give the same requests.

    Parameters
    ----------
    count
        Number of requests.
    lengths
        Mean tokens of the prompts and of the answers; all have this length without a distribution.
    seed
        Seed of times and lengths.
    burstiness
        Shape of the gamma distribution of the times between arrivals: 1 is a Poisson process, less is burstier.
    distributions
        Distributions of the lengths of prompts and of answers.

    Raises
    ------
    InputError
        The burstiness is not a number above 0.
    """
    if not 0.0 < burstiness < np.inf:
        raise InputError.at("burstiness", expected="a number above 0", got=burstiness)
    generators = [np.random.default_rng(part) for part in np.random.SeedSequence(seed).spawn(3)]
    gaps: Array = generators[0].standard_gamma(burstiness, count) / burstiness
    drawn = [
        fixed(count, mean) if distribution is None else distribution.draw(generator, count, mean)
        for mean, distribution, generator in zip(lengths, distributions, generators[1:], strict=True)
    ]
    return Drawn(gaps, *drawn)
