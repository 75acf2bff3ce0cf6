"""The energy of reading prompts and of writing answers, from runs with different mixes of lengths.

Servers batch both together, so no moment belongs to one of them alone. Over windows with different mixes their energies
can be told apart by least squares:

    energy = j_per_input_token * input tokens + j_per_output_token * output tokens + base_w * duration
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.measure import stats

LEAST_MIXES = 3
WORST_CONDITION = 1e6  # above it the parts cannot be told apart at all; below, their intervals say how well


@dataclass(frozen=True, slots=True)
class MixWindow:
    """One window of a run."""

    mix: str  # lengths of its run, as `512:128`
    input_tokens: float  # prompt tokens that the server read in it
    output_tokens: float
    duration_s: float  # [s]
    energy_j: float  # [J]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the energy with its 95 % interval."""

    value: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class EnergySplit:
    """The parts of the energy."""

    j_per_input_token: Part
    j_per_output_token: Part
    base_w: Part  # [W] power without tokens
    condition: float  # of the scaled mixes [-]: 1 is best, some 100 is usual


def split_energy(windows: Sequence[MixWindow], u_meter_frac: float = 0.0) -> EnergySplit | str:
    """Return the parts of the energy, or the reason why they cannot be told apart.

    Parameters
    ----------
    windows
        The windows of runs at the same concurrency.
    u_meter_frac
        Relative standard uncertainty of the meter [-], common to all windows.
    """
    mixes = {window.mix for window in windows}
    if len(mixes) < LEAST_MIXES:
        return f"{LEAST_MIXES} mixes of lengths are needed, and {len(mixes)} were measured"
    matrix = np.array([[w.input_tokens, w.output_tokens, w.duration_s] for w in windows])
    energy = np.array([w.energy_j for w in windows])
    scales = np.sqrt((matrix**2).sum(axis=0))
    if not scales.all():
        return "a window has no input or no output tokens"
    scaled = matrix / scales
    condition = float(np.linalg.cond(scaled))
    if condition > WORST_CONDITION:
        return "the mixes do not differ in the share of input tokens"
    solution, *_ = np.linalg.lstsq(scaled, energy, rcond=None)
    dof = len(windows) - matrix.shape[1]
    residual = energy - scaled @ solution
    variance = float(residual @ residual) / dof
    errors = np.sqrt(np.diag(np.linalg.inv(scaled.T @ scaled)) * variance)
    parts = []
    for value, error, scale in zip(solution, errors, scales, strict=True):
        half = stats.half_width(float(error), float(dof), abs(float(value)) * u_meter_frac)
        parts.append(Part(float(value / scale), (float((value - half) / scale), float((value + half) / scale))))
    return EnergySplit(parts[0], parts[1], parts[2], condition)
