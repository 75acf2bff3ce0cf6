"""The time in which a part of a site is in service."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

SHARE_DIGITS = 12  # so that 70, 20 and 10 per cent take all


@dataclass(frozen=True, slots=True)
class Service:
    """The time in which a part of a site is in service, and how much of it remains after conversions."""

    start_s: float = -math.inf  # [s, unix]
    end_s: float = math.inf  # [s, unix] no longer in service
    cuts: tuple[tuple[float, float], ...] = ()  # time [s, unix] of each conversion, and the share of all that it takes

    def has(self, at_s: float) -> bool:
        """Return whether a time [s, unix] is between start and end."""
        return self.start_s <= at_s < self.end_s

    def frac(self, at_s: float) -> float:
        """Return the share that is in service at a time [s, unix]."""
        if not self.has(at_s):
            return 0.0
        taken = math.fsum(share for cut_s, share in self.cuts if cut_s <= at_s)
        return max(0.0, round(1.0 - taken, SHARE_DIGITS))

    def cut(self, at_s: float, taken_frac: float) -> Service:
        """Return the service without a share of the whole from a time [s, unix] on."""
        return replace(self, cuts=(*self.cuts, (at_s, taken_frac)))

    @property
    def edges(self) -> tuple[float, ...]:
        """The times [s, unix] at which the share changes."""
        edges = (self.start_s, self.end_s, *(cut_s for cut_s, _ in self.cuts))
        return tuple(edge for edge in edges if math.isfinite(edge))


ALWAYS = Service()
