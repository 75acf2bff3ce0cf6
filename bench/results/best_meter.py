"""The rule that chooses between meters: the most trusted tier wins. It needs no pydantic, so that lists start fast."""

from collections.abc import Callable, Mapping
from typing import TypeVar

M = TypeVar("M")
ENERGY_PER_UNIT = "energy_per_"
"""Beginning of the names of a record's energies per unit of work; unit and boundary follow."""
POWER = "power_"
"""Beginning of the names of a record's powers; the boundary follows."""


def trust(tier: str | None) -> str:
    """Return a key that sorts tiers by trust, the most trusted first and figures without a tier last."""
    return tier or "Z"


def best_metric(metrics: Mapping[str, M], tier_of: Callable[[M], str | None], *beginnings: str) -> M | None:
    """Return the metric of the most trusted tier among those whose names begin so, or None where there is none."""
    matching = [metric for name, metric in metrics.items() if name.startswith(beginnings)]
    return min(matching, key=lambda metric: trust(tier_of(metric)), default=None)
