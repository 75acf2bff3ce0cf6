"""What contracts need to know of a site: its energy, output and prices over the steps of a horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError, near_names
from sites.contracts.lines import by_month

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sites.arrays import Floats, Integers
    from sites.hours.months import Months


@dataclass(frozen=True, slots=True)
class BlockLedger:
    """A block in the steps of a horizon, [T]."""

    metered_mwh: Floats  # [MWh meter]
    revenue_usd: Floats  # worth of its output, rents included
    gpu_hours: Floats | None  # [GPU-hours] served; None for a block that does not sell them


@dataclass(frozen=True, slots=True)
class Ledger:
    """A site in the steps of a horizon, [T]; a step is an hour, or any part of a month."""

    start_s: Integers  # [s, unix] start of the step
    day: Integers  # local day, counted from 1970-01-01
    how: Integers  # local hour of the week; 0 is the first of Monday
    month: Integers  # of the horizon, from 0
    step_h: Floats  # [h] length of the step
    spot_usd_per_mwh: Floats
    metered_mwh: Floats  # [MWh meter]
    power_usd: Floats  # cost of all power
    blocks: Mapping[str, BlockLedger]

    def in_force(self, start: date | None, end: date | None) -> Floats:
        """Return 1 for the steps from a first to a last local day and 0 for others, [T]."""
        first = -np.inf if start is None else np.datetime64(start).astype(np.int64)
        last = np.inf if end is None else np.datetime64(end).astype(np.int64)
        return ((self.day >= first) & (self.day <= last)).astype(np.float64)

    def at(self, moments_s: Sequence[float]) -> Integers:
        """Return the steps that hold moments [s, unix]; moments outside the horizon are left out."""
        end_s = self.start_s[-1] + self.step_h[-1] * 3600.0
        inside = [at_s for at_s in moments_s if self.start_s[0] <= at_s < end_s]
        return np.searchsorted(self.start_s, inside, side="right").astype(np.int64) - 1

    def together(self, names: Sequence[str], place: str) -> BlockLedger:
        """Return energy and output of several blocks as one; raise InputError for a name that no block has."""
        for name in names:
            if name not in self.blocks:
                near = near_names(name, self.blocks)
                raise InputError.at(place, "blocks", expected="names of blocks of the site", got=name, near=near)
        zero = np.zeros(self.day.size)
        chosen = [self.blocks[name] for name in names]
        return BlockLedger(
            metered_mwh=sum((block.metered_mwh for block in chosen), zero),
            revenue_usd=sum((block.revenue_usd for block in chosen), zero),
            gpu_hours=None,
        )

    def energy_usd(self, block: BlockLedger) -> Floats:
        """Return what the energy of a block costs: its share of the step's energy times the cost of power, [T]."""
        share = np.divide(block.metered_mwh, self.metered_mwh, out=np.zeros(self.day.size), where=self.metered_mwh > 0)
        cost: Floats = self.power_usd * share
        return cost

    def sums(self, values: Floats, months: Months) -> Floats:
        """Return the sums of a series of steps, [T], in each month, [M]."""
        return by_month(values, self.month, len(months))
