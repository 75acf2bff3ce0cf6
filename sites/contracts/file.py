"""The settlement of the contracts of a site file: terms from its tables, quantities from the ledger of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.contracts import power_file
from sites.contracts.gpu_hours import GpuHourTerms, gpu_hours
from sites.contracts.hosting import HostedMonths, HostingTerms, hosted, hosting
from sites.contracts.lease import LeaseTerms, lease
from sites.file.build_blocks import frac
from sites.file.contracts.hosting_tables import GpuHoursTable, HostingTable, LeaseTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.contracts.ledger import Ledger
    from sites.contracts.lines import Lines
    from sites.contracts.power_file import Outside
    from sites.file.contracts.tables import AnyContract
    from sites.hours.months import Months

KW = 1000.0  # in a MW, and kWh in a MWh


def settled(contracts: Sequence[AnyContract], ledger: Ledger, months: Months, outside: Outside) -> dict[str, Lines]:
    """Return the lines of each contract of a site file by its name [USD], [M].

    Parameters
    ----------
    contracts
        Tables [[contract]].
    ledger
        The site over the horizon, whose statement counts the output of all its blocks and the cost of all its power.
    months
        Months of the horizon.
    outside
        Clock and files of the site.

    Raises
    ------
    InputError
        A contract names a block that the site does not have, it begins after the horizon or ends before it, or a file
        that it names lacks hours or months.
    """
    return {table.name: lines(table, ledger, months, outside) for table in contracts}


def lines(table: AnyContract, ledger: Ledger, months: Months, outside: Outside) -> Lines:
    """Return the lines of a contract [USD], [M]; as `settled`."""
    power_file.check_within(table, months)
    if isinstance(table, HostingTable):
        return _hosting(table, ledger, months)
    if isinstance(table, LeaseTable):
        return _lease(table, ledger, months)
    if isinstance(table, GpuHoursTable):
        return _gpu_hours(table, ledger, months)
    return power_file.lines(table, ledger, months, outside)


def _hosting(table: HostingTable, ledger: Ledger, months: Months) -> Lines:
    terms = HostingTerms(
        usd_per_kwh=table.usd_per_kwh.value,
        usd_per_kw_month=table.usd_per_kw_month.value,
        contracted_kw=table.contracted_kw.value if table.contracted_kw is not None else 0.0,
        revenue_share_frac=frac(table.revenue_share_percent),
        profit_share_frac=frac(table.profit_share_percent),
        losses_carried=table.losses_carried,
        minimum_usd_per_month=table.minimum_usd_per_month.value,
        energy_passed_through=table.energy_passed_through,
        escalator_frac=frac(table.escalator_percent_per_year),
    )
    block = ledger.together(table.blocks, f"contract {table.name}")
    here = ledger.in_force(table.start, table.end)
    quantities = HostedMonths(
        energy_kwh=ledger.sums(block.metered_mwh * here, months) * KW,
        revenue_usd=ledger.sums(block.revenue_usd * here, months),
        energy_usd=ledger.sums(ledger.energy_usd(block) * here, months),
        in_force=months.in_force(table.start, table.end),
        anniversaries=months.anniversaries(table.start or months.start),
    )
    return hosting(terms, quantities) if table.role == "host" else hosted(terms, quantities)


def _lease(table: LeaseTable, ledger: Ledger, months: Months) -> Lines:
    terms = LeaseTerms(
        contracted_kw=table.contracted_kw.value,
        usd_per_kw_month=table.usd_per_kw_month.value,
        take_or_pay_frac=frac(table.take_or_pay_percent),
        escalator_frac=frac(table.escalator_percent_per_year),
        energy_passed_through=table.energy_passed_through,
        markup_frac=frac(table.markup_percent),
    )
    block = ledger.together(table.blocks, f"contract {table.name}")
    here = ledger.in_force(table.start, table.end)
    hours = ledger.sums(ledger.step_h * here, months)
    energy_kwh = ledger.sums(block.metered_mwh * here, months) * KW
    earned = lease(
        terms,
        drawn_kw=np.divide(energy_kwh, hours, out=np.zeros(len(months)), where=hours > 0),
        energy_usd=ledger.sums(ledger.energy_usd(block) * here, months),
        in_force=months.in_force(table.start, table.end),
        anniversaries=months.anniversaries(table.start or months.start),
    )
    return earned | {"output of the tenant": -ledger.sums(block.revenue_usd * here, months)}


def _gpu_hours(table: GpuHoursTable, ledger: Ledger, months: Months) -> Lines:
    reserved = table.reserved_gpus
    terms = GpuHourTerms(
        usd_per_gpu_hour=table.usd_per_gpu_hour.value,
        reserved_gpus=reserved.value if reserved is not None else 0.0,
        reserved_usd_per_gpu_hour=table.reserved_usd_per_gpu_hour.value if table.reserved_usd_per_gpu_hour else 0.0,
        upfront_frac=frac(table.upfront_percent),
        escalator_frac=frac(table.escalator_percent_per_year),
    )
    place = f"contract {table.name}"
    block = ledger.together(table.blocks, place)
    used_h = np.zeros(ledger.day.size)
    for name in table.blocks:
        served_h = ledger.blocks[name].gpu_hours
        if served_h is None:
            raise InputError.at(place, "blocks", expected="blocks with usd_per_gpu_hour", got=name)
        used_h += served_h
    here = ledger.in_force(table.start, table.end)
    earned = gpu_hours(
        terms,
        used_h=ledger.sums(used_h * here, months),
        unserved_h=np.zeros(len(months)),
        hours=ledger.sums(ledger.step_h * here, months),
        anniversaries=months.anniversaries(table.start or months.start),
    )
    return earned | {"output under contract": -ledger.sums(block.revenue_usd * here, months)}
