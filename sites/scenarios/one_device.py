"""A site with one of its blocks alone on the whole interconnect: what its megawatts earn with each device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from hardware_profiles.errors import InputError, near_names
from hardware_profiles.reading import validate
from sites.file.site_file import SiteFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sites.model import Site
    from sites.scenarios.uncertainty import Distribution

_SIZES = ("count", "facility_mw", "gpus", "modules", "interconnect_percent")


def filled(file: SiteFile, place: Path, block: str, device: str | None = None) -> SiteFile:
    """Return a site file whose interconnect is all one block's; its device is replaced where another is named.

    Raises
    ------
    InputError
        The file has no block of that name.
    """
    document: dict[str, Any] = file.model_dump(mode="json", exclude_unset=True)
    tables = [(kind, table) for kind in ("mining", "inference") for table in document.get(kind, ())]
    found = next(((kind, table) for kind, table in tables if table.get("name", kind) == block), None)
    if found is None:
        names = [table.get("name", kind) for kind, table in tables]
        raise InputError.at(place, expected="a block of the site", got=block, near=near_names(block, names))
    kind, table = found
    alone = {key: value for key, value in table.items() if key not in _SIZES} | {"interconnect_percent": 100}
    if device is not None:
        alone = {key: value for key, value in alone.items() if key != "modes"} | {"device": device}
    return validate(SiteFile, {**document, "mining": [], "inference": [], kind: [alone]}, place)


@dataclass(frozen=True, slots=True)
class Alone:
    """What a site earns whose one block has the whole interconnect, before capital.

    Attributes
    ----------
    name, basis
        The site, named after its device, and the basis of the device's rate.
    btc_per_day, tokens_per_day, usd_per_mwh, net_usd
        Means of the year without spread [BTC/day, token/day], revenue of a MWh at the buildings [USD/MWh; None for a
        device that no hour is worth running], revenue less energy [USD/year].
    spread
        The net over scenarios, every site in the same ones.
    """

    name: str
    basis: str
    btc_per_day: float
    tokens_per_day: float
    usd_per_mwh: float | None
    net_usd: float
    spread: Distribution


def each_alone(sites: Sequence[Site], scenarios: int) -> tuple[Alone, ...]:
    """Compute sites of one block each, without spread and over scenarios of the default model, seed 1.

    Raises
    ------
    InputError
        Two sites have one name, or `scenarios` is no number that the engine takes.
    """
    from sites.dispatch.year import site_year, summarise
    from sites.scenarios.engine import Run, check_scenarios, fleet_cases, run_fleet
    from sites.scenarios.file import default_model
    from sites.scenarios.uncertainty import of_sites

    check_scenarios(scenarios)
    run = Run(1, default_model())
    spread = of_sites(run_fleet(fleet_cases(sites, run.model), run, scenarios), "net_usd")
    found = []
    for site in sites:
        year = site_year(site)
        means = summarise(year)
        (block,) = year.blocks
        found.append(
            Alone(
                name=site.name,
                basis=next(iter(site.blocks)).rate.basis,
                btc_per_day=means.btc_per_day,
                tokens_per_day=means.tokens_per_day,
                usd_per_mwh=block.revenue_usd / block.facility_mwh if block.facility_mwh else None,
                net_usd=year.net_usd,
                spread=cast("Distribution", spread[site.name]),  # a net has a value in every scenario
            )
        )
    return tuple(found)
