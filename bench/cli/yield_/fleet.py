"""The table of `perwatt yield` for many sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cli.output import plain, say, short
from bench.cli.table import print_table
from bench.cli.yield_.tables import sells_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.dispatch.year import SiteYear

EH = 1e18


def print_fleet(years: Sequence[SiteYear]) -> None:
    """Print many sites: a line for each site, for each region and for the fleet."""
    from sites.dispatch.year import summarise

    def line(name: str, chosen: Sequence[SiteYear]) -> list[str]:
        summaries = [summarise(year) for year in chosen]
        metered = sum(summary.metered_mwh for summary in summaries)
        net = sum(summary.net_usd for summary in summaries)
        hashes = sum(block.count * block.rate.rate_per_s for year in chosen for block in year.site.mining)
        return [
            name,
            plain(sum(year.site.interconnect_mw for year in chosen), 4),
            f"{hashes / EH:.2f}" if hashes else "-",
            _sold(any(year.site.mining for year in chosen), sum(summary.btc_per_day for summary in summaries)),
            _sold(
                any(sells_tokens(year.site) for year in chosen),
                sum(summary.tokens_per_day for summary in summaries) / 1e9,
            ),
            short(metered),
            plain(sum(summary.revenue_usd for summary in summaries) / metered) if metered > 0 else "-",
            short(net),
        ]

    regions: dict[str, list[SiteYear]] = {}
    for year in years:
        regions.setdefault(year.site.region, []).append(year)
    rows = []
    for region, chosen in regions.items():
        rows += [line(year.site.name, [year]) for year in chosen]
        rows.append(line(f"all {len(chosen)} in {region}", chosen))
    rows.append(line(f"all {len(years)} sites", years))
    print_table(
        ["site", "MW", "EH/s", "BTC/day", "G tok/day", "MWh", "USD/MWh", "net USD"],
        rows,
        title=f"{len(years)} sites, one year (EH/s: deployed)",
        right=tuple(range(1, 8)),
    )
    mining = [year for year in years if year.site.mining]
    assumed = max((year.assumed_frac for year in mining), default=0.0)
    if assumed > 0:
        say(f"difficulty is assumed for {assumed:.0%} of the hours: {mining[0].site.path.label()}")
    for note in dict.fromkeys(note for year in years for note in year.site.notes):
        say(note)


def _sold(sells: bool, per_day: float) -> str:
    return plain(per_day) if sells else "-"
