"""When the parts of a site are in service: the start and end of its tables, and its conversions."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from hardware_profiles.errors import InputError, near_names
from sites.dispatch.later_year import after
from sites.dispatch.problem import meter_mw
from sites.hours.calendar import HOUR_S, anniversary, first_hour_s, zone
from sites.hours.service import ALWAYS, Service

if TYPE_CHECKING:
    from datetime import date

    from sites.file.block_tables import InferenceTable, MiningTable
    from sites.file.horizon.tables import ConversionTable
    from sites.file.site_file import SiteFile
    from sites.hours.calendar import Calendar
    from sites.model import InferenceBlock, MiningBlock, Site

    Block = TypeVar("Block", MiningBlock, InferenceBlock)

DAY = timedelta(days=1)


def with_services(site: Site, file: SiteFile, path: str) -> Site:
    """Return a site whose parts are in service when its file says.

    Raises
    ------
    InputError
        A conversion names a block that the site does not have or that is not in service, one that begins at a date of
        its own, or a day before the site; or a block is never in service.
    """
    timezone = file.site.timezone
    blocks: tuple[MiningTable | InferenceTable, ...] = (*file.mining, *file.inference)
    tables = {table.name: table for table in blocks}
    services = {name: service_of(table.start, table.end, timezone) for name, table in tables.items()}
    conversions = file.horizon.conversion if file.horizon is not None else ()
    for index, conversion in enumerate(conversions):
        key = f"horizon.conversion[{index}]"
        for field in ("block", "into"):
            name = getattr(conversion, field)
            if name not in tables:
                raise InputError.at(
                    path, f"{key}.{field}", expected="the name of a block", got=name, near=near_names(name, tables)
                )
        if tables[conversion.into].start is not None:
            raise InputError.at(
                path,
                f"{key}.into",
                expected="a block without a start of its own, because it begins after the lead time",
                got=conversion.into,
            )
        if conversion.start < file.site.start:
            first = f"a day from {file.site.start} on, the start of the site"
            raise InputError.at(path, f"{key}.start", expected=first, got=str(conversion.start))
        offline_s, ready_s = (first_hour_s(day, timezone) for day in conversion_days(conversion))
        services[conversion.block] = services[conversion.block].cut(offline_s, conversion.percent.value / 100.0)
        services[conversion.into] = replace(services[conversion.into], start_s=ready_s)
    for name, service in services.items():
        _check_within(file, path, name, service)
    for index, conversion in enumerate(conversions):
        offline, _ = conversion_days(conversion)
        if not services[conversion.block].has(first_hour_s(offline, timezone)):
            raise InputError.at(
                path,
                f"horizon.conversion[{index}].block",
                expected=f"a block in service on {offline}, when its converted power goes off",
                got=conversion.block,
            )
    contract, programme = file.price.contract, file.curtailment
    return replace(
        site,
        mining=tuple(_begun(block, services[block.name], site.start_s) for block in site.mining),
        inference=tuple(_begun(block, services[block.name], site.start_s) for block in site.inference),
        contract_service=service_of(contract.start, contract.end, timezone) if contract else ALWAYS,
        programme_service=service_of(programme.start, programme.end, timezone) if programme else ALWAYS,
    )


def _check_within(file: SiteFile, path: str, name: str, service: Service) -> None:
    """Check that a block is in service within the horizon that its file states, or on its first day or later."""
    local = zone(file.site.timezone)
    first, end = file.site.start, None
    if file.horizon is not None:
        end = anniversary(first, file.horizon.years)
    begun = datetime.fromtimestamp(service.start_s, tz=local).date() if service.start_s > -math.inf else first
    gone = datetime.fromtimestamp(service.end_s, tz=local).date() if service.end_s < math.inf else None
    if gone is not None and gone <= first:
        expected = f"a last day in service from {first} on, the start of the site"
        raise InputError.at(f"{path}: block {name!r}", "end", expected=expected, got=str(gone - DAY))
    if end is not None and begun >= end:
        expected = f"a first day in service before {end}, the end of the horizon"
        raise InputError.at(f"{path}: block {name!r}", "start", expected=expected, got=str(begun))


def _begun(block: Block, service: Service, start_s: int) -> Block:
    """Return a block with its service; its file states the age and the demand of its first day in service."""
    later_h = max(service.start_s - start_s, 0.0) / HOUR_S
    return replace(after(block, -later_h), service=service) if later_h > 0.0 else replace(block, service=service)


def service_of(start: date | None, end: date | None, timezone: str) -> Service:
    """Return the service from a first to a last local day, which is included."""
    return Service(
        first_hour_s(start, timezone) if start is not None else -math.inf,
        first_hour_s(end + DAY, timezone) if end is not None else math.inf,
    )


def conversion_days(conversion: ConversionTable) -> tuple[date, date]:
    """Return the first day on which the converted power is off, and the first of the new block."""
    ready = conversion.start + timedelta(days=round(conversion.lead_days.value))
    return ready - timedelta(days=round(conversion.offline_days.value)), ready


def end_of(file: SiteFile, calendar: Calendar) -> int:
    """Return the end of a site's horizon, or of its year without one [s, unix]."""
    if file.horizon is None:
        return calendar.start_s + HOUR_S * calendar.hours
    return first_hour_s(anniversary(file.site.start, file.horizon.years), file.site.timezone)


def busiest(site: Site) -> Site:
    """Return a site with what is in service when its blocks draw most at full load."""
    times = sorted({float(site.start_s), *(edge for service in site.services for edge in service.edges)})
    return max(
        (site.in_service(at_s) for at_s in times),
        key=lambda present: sum(meter_mw(present, block) for block in present.blocks),
    )
