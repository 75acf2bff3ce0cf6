"""Mean and quantiles of a latency over many requests, each with its 95 % interval."""

from dataclasses import dataclass

import numpy as np

from bench.inference.simulation.serve import Array

BATCHES = 20  # of consecutive requests
STUDENT_T = 2.093  # quantile 0.975 of Student's t with BATCHES - 1 degrees of freedom


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of the simulation with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Spread:
    """A latency of many requests [s]."""

    mean_s: Estimate
    q50_s: Estimate
    q90_s: Estimate
    q99_s: Estimate


def spread(latency_s: Array) -> Spread:
    """Return mean and quantiles of a latency, from requests in the order of their arrival."""
    batches = _batches(latency_s)
    mean, half = float(latency_s.mean()), _half(batches.mean(axis=1))
    return Spread(Estimate(mean, mean - half, mean + half), *(quantile(latency_s, level) for level in (0.5, 0.9, 0.99)))


def exact(latency_s: Array) -> Spread:
    """Return mean and quantiles of a latency over all requests that there are, which have no interval."""
    values = (latency_s.mean(), *np.quantile(latency_s, (0.5, 0.9, 0.99)))
    return Spread(*(Estimate(float(value), float(value), float(value)) for value in values))


def quantile(latency_s: Array, level: float) -> Estimate:
    """Return a quantile of a latency, from requests in the order of their arrival.

    Notes
    -----
    The ends of the interval are the quantiles at `level` minus and plus the error of the share of requests below the
    quantile. Requests that arrive soon after each other wait for the same queue, so they are not independent. That
    error is therefore the one of the mean of BATCHES batches of consecutive requests, which are nearly independent if a
    batch lasts much longer than a queue. The few requests that the division leaves over are in no batch.

    References
    ----------
    A. M. Law and W. D. Kelton, Simulation Modeling and Analysis: batch means.
    """
    value = float(np.quantile(latency_s, level))
    half = _half((_batches(latency_s) <= value).mean(axis=1))
    low, high = np.quantile(latency_s, [max(level - half, 0.0), min(level + half, 1.0)])
    return Estimate(value, float(low), float(high))


def _batches(values: Array) -> Array:
    return values[: len(values) // BATCHES * BATCHES].reshape(BATCHES, -1)


def _half(means: Array) -> float:
    return float(STUDENT_T * means.std(ddof=1) / np.sqrt(BATCHES))
