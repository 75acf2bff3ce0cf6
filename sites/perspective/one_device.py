"""The earnings of a megawatt with each of several device types, from a site that is filled with one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from hardware_profiles.errors import InputError, near_names
from hardware_profiles.reading import validate
from sites.dispatch.year import site_year, summarise
from sites.file.site_file import SiteFile
from sites.perspective.blocks import perspectives
from sites.scenarios.defaults import default_model
from sites.scenarios.distributions import distribution
from sites.scenarios.engine import Run, check_scenarios, fleet_cases, run_fleet
from sites.scenarios.metrics import site_metric

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sites.arrays import Floats
    from sites.model import Site
    from sites.scenarios.distributions import Distribution

_SIZES = ("count", "facility_mw", "gpus", "modules", "interconnect_percent")


def filled(file: SiteFile, path: Path, block: str, device: str | None = None) -> SiteFile:
    """Return a site file with one of its blocks on the whole interconnect.

    Parameters
    ----------
    file, path
        The site file, and its path for messages.
    block
        Name of the block.
    device
        Device that replaces the block's own, if not None.

    Raises
    ------
    InputError
        The file has no block of that name.
    """
    document: dict[str, Any] = file.model_dump(mode="json", exclude_unset=True)
    tables = [(kind, table) for kind in ("mining", "inference") for table in document.get(kind, ())]
    match = next(((kind, table) for kind, table in tables if table.get("name", kind) == block), None)
    if match is None:
        names = [table.get("name", kind) for kind, table in tables]
        raise InputError.at(path, expected="a block of the site", got=block, near=near_names(block, names))
    kind, table = match
    alone = {key: value for key, value in table.items() if key not in _SIZES} | {"interconnect_percent": 100}
    if device is not None:
        alone = {key: value for key, value in alone.items() if key != "modes"} | {"device": device}
    return validate(SiteFile, {**document, "mining": [], "inference": [], kind: [alone]}, path)


@dataclass(frozen=True, slots=True)
class Megawatt:
    """The earnings of one megawatt of a site that is filled with one device type; capital is the hardware's alone."""

    name: str  # of the site, which is named after its device
    product: str  # mining or inference
    basis: str  # of the device's rate
    btc_per_day: float  # [BTC/day] mean of the year without spread
    tokens_per_day: float  # [token/day] mean of the year without spread
    usd_per_mwh: float | None  # [USD/MWh facility] revenue; None for a device that does not pay in any hour
    net_usd: float  # [USD/year] revenue less energy, without spread
    capital_usd_per_year: float | None  # [USD/year] None if the price of the device is unknown
    net_after_capital_usd: float | None  # [USD/year] without spread
    spread: Distribution  # of the net after capital over scenarios (before capital if its cost is unknown)


def each_megawatt(sites: Sequence[Site], scenarios: int) -> tuple[Megawatt, ...]:
    """Compute sites of one block each, without spread and over scenarios of the default model with seed 1.

    Every amount is per MW of the site's interconnect. The scenarios are the same for every site.

    Raises
    ------
    InputError
        Two sites have the same name, or the number of scenarios is invalid.
    """
    check_scenarios(scenarios)
    run = Run(1, default_model())
    done = run_fleet(fleet_cases(sites, run.model), run, scenarios)
    return tuple(_megawatt(site, site_metric(done, index, "net_usd")) for index, site in enumerate(sites))


def _megawatt(site: Site, nets_usd: Floats) -> Megawatt:
    year = site_year(site)
    means = summarise(year)
    (block,) = year.blocks
    (item,) = perspectives(year)
    capital_usd = item.capital.usd_per_year if item.capital is not None else None
    megawatts = site.interconnect_mw
    return Megawatt(
        name=site.name,
        product=block.product,
        basis=next(iter(site.blocks)).rate.basis,
        btc_per_day=means.btc_per_day / megawatts,
        tokens_per_day=means.tokens_per_day / megawatts,
        usd_per_mwh=block.revenue_usd / block.facility_mwh if block.facility_mwh else None,
        net_usd=year.net_usd / megawatts,
        capital_usd_per_year=None if capital_usd is None else capital_usd / megawatts,
        net_after_capital_usd=None if capital_usd is None else (year.net_usd - capital_usd) / megawatts,
        spread=cast("Distribution", distribution((nets_usd - (capital_usd or 0.0)) / megawatts)),
    )
