"""The lines of `perwatt yield` about a battery and about blocks with start costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cli.output import plain, say

if TYPE_CHECKING:
    from sites.dispatch.year import SiteYear


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
        earned = -done.power_usd - done.wear_usd
        exported = f", {plain(done.export_mwh)} MWh of them into the grid" if done.export_mwh > 0.0 else ""
        say(
            f"battery: {plain(done.discharged_mwh)} MWh shifted{exported} in {plain(done.cycles)} cycles, losses "
            f"{plain(done.charged_mwh - done.discharged_mwh)} MWh; saves {plain(-done.power_usd)} USD of power for "
            f"{plain(done.wear_usd)} USD of degradation, net {plain(earned)}"
        )
    for unit in done.units:
        say(
            f"{unit.name}: {unit.starts:,} starts for {plain(unit.start_usd)} USD, {plain(unit.wake_mwh)} MWh drawn "
            "while waking up"
        )
    say(f"battery and starts: {done.method}, gap to the best plan {done.gap_frac:.2g}")
