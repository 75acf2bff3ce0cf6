"""What a site's phases cost and bring: conversions, and the sale of removed and retired devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.file.horizon.services import conversion_days

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sites.arrays import Floats
    from sites.file.block_tables import InferenceTable, MiningTable
    from sites.file.site_file import SiteFile
    from sites.horizon.years import Horizon

MONTHS = 12


class Outlay(NamedTuple):
    """A payment on a day."""

    day: date
    usd: float  # paid; negative for income
    text: str


def outlays(file: SiteFile) -> Iterator[Outlay]:
    """Yield the payments of the phases of a site file."""
    for conversion in file.horizon.conversion if file.horizon is not None else ():
        offline, _ = conversion_days(conversion)
        yield Outlay(conversion.start, conversion.capex_usd.value, f"conversion into {conversion.into}")
        yield Outlay(offline, -conversion.resale_usd.value, f"sale of {conversion.block}")
    blocks: tuple[MiningTable | InferenceTable, ...] = (*file.mining, *file.inference)
    for table in blocks:
        if table.end is not None:
            yield Outlay(table.end, -table.resale_usd.value, f"sale of {table.name}")


def capex_by_month(horizon: Horizon) -> Floats:
    """Return what the phases of a horizon cost, less what they bring [USD], [M]; payments outside it do not count."""
    paid = np.zeros(len(horizon.months))
    for outlay in outlays(horizon.inputs.file):
        month = (outlay.day.year - horizon.start.year) * MONTHS + outlay.day.month - horizon.start.month
        if outlay.day >= horizon.start and month < paid.size:
            paid[month] += outlay.usd
    return paid
