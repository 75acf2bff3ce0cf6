"""`perwatt yield`: what sites earn, mining and inference on the same megawatt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bench.cli.output import emit_json, json_option, plain, print_table, say

if TYPE_CHECKING:
    from sites.year import SiteYear


@click.command("yield")
@click.argument("sites", nargs=-1, required=True, metavar="SITE.toml...")
@json_option
def yield_(sites: tuple[str, ...], as_json: bool) -> None:
    """Say what sites yield in a year: BTC, tokens and USD per MWh, with every assumption.

    SITE.toml is a site file, or the name of a bundled example (georgia-50mw-half-gpu).
    """
    from bench.device_rates import resolve_device
    from sites.examples import site_path
    from sites.site import load_site
    from sites.year import site_year

    years = [site_year(load_site(site_path(given), resolve_device)) for given in sites]
    if as_json:
        emit_json({"schema": "perwatt.yield/1", "sites": [_document(year) for year in years]})
        return
    for year in years:
        _print(year)


def _document(year: SiteYear) -> dict[str, object]:
    from dataclasses import asdict

    from sites.year import summarise

    blocks = (*year.site.mining, *year.site.inference)
    return {
        "summary": asdict(summarise(year)),
        "blocks": [asdict(block) for block in year.blocks],
        "devices": [{"block": block.name, "count": block.count, **asdict(block.rate)} for block in blocks],
        "assumptions": [assumption.model_dump() for assumption in year.site.assumptions],
    }


def _print(year: SiteYear) -> None:
    from datetime import UTC, datetime

    from sites.year import summarise

    summary = summarise(year)
    first = datetime.fromtimestamp(year.site.start_s, tz=UTC).date().isoformat()
    print_table(
        ["block", "product", "device", "facility MWh", "BTC", "tokens", "revenue USD", "energy USD", "USD/MWh"],
        [
            [
                block.name,
                block.product,
                source.rate.name,
                plain(block.facility_mwh),
                plain(block.btc),
                plain(block.units / 1e12) + " T" if block.product == "inference" else "-",
                plain(block.revenue_usd),
                plain(block.energy_usd),
                plain(block.revenue_usd / block.facility_mwh) if block.facility_mwh else "-",
            ]
            for block, source in zip(year.blocks, (*year.site.mining, *year.site.inference), strict=True)
        ],
        title=f"{summary.site}: {year.hours} hours from {first} UTC",
        right=(3, 4, 5, 6, 7, 8),
    )
    say(f"{plain(summary.btc_per_day)} BTC/day, {plain(summary.tokens_per_day / 1e9)} G tokens/day")
    say(
        f"{plain(summary.revenue_usd_per_mwh)} USD/MWh revenue, {plain(summary.margin_usd_per_mwh)} USD/MWh after energy, "
        f"of {plain(summary.metered_mwh)} MWh metered"
    )
    for block in year.site.inference:
        tags = block.rate.tags
        if tags is not None:
            say(
                f"{block.name}: {tags.token_basis} tokens, {tags.lengths} in:out, latency limit {tags.latency_limit}, "
                f"{tags.boundary} power {tags.power_kind}"
            )
    if summary.difficulty_assumed_frac > 0:
        say(f"assumed for {summary.difficulty_assumed_frac:.0%} of the hours: {summary.difficulty_path}")
    print_table(
        ["assumption", "value", "source", "date"],
        [
            [a.key, f"{a.value:,g}" if isinstance(a.value, float) else a.value, a.source, a.date]
            for a in year.site.assumptions
        ],
        title="What this rests on",
        right=(1,),
    )
    print_table(
        ["block", "device", "rate", "power", "boundary", "confidence", "source"],
        [
            [block.name, block.rate.name, block.rate.basis, block.rate.power_basis, block.rate.boundary,
             block.rate.confidence, block.rate.source]
            for block in (*year.site.mining, *year.site.inference)
        ],
        title="Devices",
    )  # fmt: skip
