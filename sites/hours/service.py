"""The time in which a part of a site is in service."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Service:
    """The time in which a part of a site is in service, and how much of it remains after conversions."""

    start_s: float = -math.inf  # [s, unix]
    end_s: float = math.inf  # [s, unix] no longer in service
    cuts: tuple[tuple[float, float], ...] = ()  # time [s, unix] of each conversion, and the share that remains

    def frac(self, at_s: float) -> float:
        """Return the share that is in service at a time [s, unix]."""
        if not self.start_s <= at_s < self.end_s:
            return 0.0
        return math.prod(remains for cut_s, remains in self.cuts if cut_s <= at_s)

    def cut(self, at_s: float, remaining_frac: float) -> Service:
        """Return the service with a share that remains from a time [s, unix] on."""
        return replace(self, cuts=(*self.cuts, (at_s, remaining_frac)))

    @property
    def edges(self) -> tuple[float, ...]:
        """The times [s, unix] at which the share changes."""
        edges = (self.start_s, self.end_s, *(cut_s for cut_s, _ in self.cuts))
        return tuple(edge for edge in edges if math.isfinite(edge))


ALWAYS = Service()
