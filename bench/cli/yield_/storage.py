"""The lines of `perwatt yield` about a battery and about blocks with start costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cli.output import plain, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.dispatch.year import SiteYear
    from sites.scenarios.case import SiteCase

EXACT_FRAC = 1e-7  # of the worth of a year: rounding, and the gap at which HiGHS stops


def storage_money(year: SiteYear) -> list[tuple[str, float]]:
    """Return what a year pays for degradation and starts, with its sign [USD]."""
    if year.storage is None:
        return []
    return [("degradation", -year.storage.wear_usd), ("starts", -year.storage.start_usd)]


def print_storage(year: SiteYear) -> None:
    """Print cycles, shifted energy and cost of a battery, the starts of each block, and how the plan was made."""
    done = year.storage
    if done is None:
        return
    if year.site.battery is not None:
        saved_usd = 0.0 - done.power_usd  # never -0
        exported = f", {plain(done.export_mwh)} MWh of them into the grid" if done.export_mwh > 0.0 else ""
        say(
            f"battery: {plain(done.discharged_mwh)} MWh shifted{exported} in {plain(done.cycles)} cycles, losses "
            f"{plain(done.charged_mwh - done.discharged_mwh)} MWh; saves {plain(saved_usd)} USD of power for "
            f"{plain(done.wear_usd)} USD of degradation, net {plain(saved_usd - done.wear_usd)}"
        )
    for block in year.site.blocks:
        if block.starts is not None and block.starts.source:
            say(f"{block.name}: {block.starts.source}")
    for unit in done.units:
        say(
            f"{unit.name}: {unit.starts:,} starts for {plain(unit.start_usd)} USD, {plain(unit.wake_mwh)} MWh drawn "
            "while waking up"
        )
    say(f"battery and starts: {done.method}, gap to the best plan {done.gap_frac:.2g}")


def print_quick_errors(cases: Sequence[SiteCase]) -> None:
    """Print by how much the quick plan of the scenarios earns less than the best plan, for each site that needs it."""
    from sites.scenarios.stored import quick_error_frac

    for case in cases:
        if case.stored is not None and case.year == 0:
            error = quick_error_frac(case.stored)
            words = "the best one" if abs(error) < EXACT_FRAC else f"{error:.2%} below the best one by HiGHS"
            say(f"{case.name}: battery and starts: the plan of a scenario is {words}, in the base year")
