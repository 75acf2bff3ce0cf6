"""Energy per unit of work and power of each window of a run, by one meter."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bench.results.record import Window


class MeteredWindows(NamedTuple):
    """The figures of one meter, one value a window."""

    energy_j_per_unit: list[float]
    power_w: list[float]
    edges_frac: float  # [-] by which the edges of the windows may be wrong, in the mean


def metered_windows(windows: "Sequence[Window]", meter: str) -> MeteredWindows | None:
    """Return the figures of a meter by its name, or None if it missed a window."""
    energies_j: list[float] = []
    edges_frac: list[float] = []
    for window in windows:
        energy = next((energy for energy in window.energy if energy.meter == meter), None)
        if energy is None or energy.joules is None:
            return None
        energies_j.append(energy.joules)
        edges_frac.append((energy.edges_j or 0.0) / energy.joules)
    pairs = list(zip(energies_j, windows, strict=True))
    return MeteredWindows(
        [energy_j / window.work for energy_j, window in pairs],
        [energy_j / window.duration_s for energy_j, window in pairs],
        sum(edges_frac) / max(len(edges_frac), 1),
    )
