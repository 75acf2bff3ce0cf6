"""What a site's phases cost and bring: conversions, and the sale of removed and retired devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.file.horizon.services import conversion_days
from sites.money.assets import Asset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sites.file.block_tables import InferenceTable, MiningTable
    from sites.file.site_file import SiteFile
    from sites.hours.months import Months


def assets_of(file: SiteFile, months: Months) -> tuple[Asset, ...]:
    """Return the investments and sales of a site's phases within the months of its horizon.

    Notes
    -----
    Neither is depreciated: the price of a conversion is written off at the end of the horizon, and what removed devices
    are sold for is a gain. A conversion whose depreciation matters is a `[[capex]]` of its own.
    """
    return tuple(item for item in _assets(file) if months.index(item.paid) is not None)


def _assets(file: SiteFile) -> Iterator[Asset]:
    for conversion in file.horizon.conversion if file.horizon is not None else ():
        offline, _ = conversion_days(conversion)
        start = conversion.start
        name = f"conversion into {conversion.into}"
        yield Asset(name=name, usd=conversion.capex_usd.value, paid=start, in_service=start, method="none")
        yield _sale(conversion.block, offline, conversion.resale_usd.value)
    blocks: tuple[MiningTable | InferenceTable, ...] = (*file.mining, *file.inference)
    for table in blocks:
        if table.end is not None:
            yield _sale(table.name, table.end, table.resale_usd.value)


def _sale(name: str, day: date, usd: float) -> Asset:
    return Asset(f"sale of {name}", 0.0, day, day, method="none", sold=day, residual_usd=usd)
