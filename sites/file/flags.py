"""Warnings about values of a site that are allowed but unusual, and notes on its prices, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.dispatch.problem import meter_mw
from sites.hours.calendar import utc_text
from sites.hours.power import share_of_steps
from sites.hours.prices import above_market, negative
from sites.plausible.bands import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sites.hours.calendar import Calendar
    from sites.model import InferenceBlock, MiningBlock, Site

    Window = tuple[int, float]


def site_flags(site: Site, windows: Mapping[str, Sequence[Window]]) -> tuple[str, ...]:
    """Return one line for each unusual value among a site's prices, sizes and windows.

    Parameters
    ----------
    site
        The site.
    windows
        Start [s, unix] and hours of each outage, event and peak, by key.
    """
    return (
        *_resale(site),
        *_oversubscribed(site),
        *_outside(site.calendar, windows),
        *_offline_sold(site),
        *_without_effect(site),
        *_curves(site),
    )


def site_notes(site: Site) -> tuple[str, ...]:
    """Return one line for what a reader should know: currency, hours below 0, calls in vain, units measured."""
    return (
        *_currency(site),
        *negative(site.calendar, site.spot_usd_per_mwh),
        *_calls(site),
        *_units("mining", site.mining),
        *_units("inference", site.inference),
    )


def _units(product: str, blocks: Iterable[MiningBlock | InferenceBlock]) -> Iterator[str]:
    """Yield a line for each block with measured units: how many stand for how many."""
    for block in blocks:
        if words := block.rate.units_words(block.count):
            yield f"{product}[{block.name}]: {words}"


def _calls(site: Site) -> Iterator[str]:
    hours = site.calendar.hours_where(site.peak_risk_usd_per_mwh > 0.0)
    if hours:
        yield f"on days that are called without a peak the site curtails in {hours:g} hours, as it would at a peak"


def _currency(site: Site) -> Iterator[str]:
    if site.currency != "USD":
        mean = float(f"{site.spot_usd_per_mwh.mean():.6g}")
        own = float(f"{mean * site.currency_per_usd:.6g}")
        yield (
            f"mean price of power: {written(own)} {site.currency} = {written(mean)} USD/MWh, at "
            f"{written(site.currency_per_usd)} {site.currency} for one USD"
        )


def _resale(site: Site) -> Iterator[str]:
    if site.contract_mw > 0:
        yield from above_market(site.calendar, site.resale_usd_per_mwh - site.spot_usd_per_mwh)


def _oversubscribed(site: Site) -> Iterator[str]:
    drawn = {block.name: meter_mw(site, block) for block in site.blocks}
    total = sum(drawn.values())
    if total > site.interconnect_mw * (1.0 + 1e-9):
        named = ", ".join(f"{name} {mw:.4g}" for name, mw in drawn.items())
        yield (
            f"all blocks at full load draw {total:.4g} MW at the meter ({named}), more than the interconnect of "
            f"{site.interconnect_mw:g} MW: in each hour the most valuable blocks run first and the others stay off"
        )


def _offline_sold(site: Site) -> Iterator[str]:
    for block in site.inference:
        sold = block.priced_per == "token" and block.price_class == "interactive"
        if sold and block.rate.serving_class == "offline":
            limit = block.rate.tags.latency_limit if block.rate.tags is not None else "unknown"
            yield (
                f"inference[{block.name}]: tokens at an offline rate (latency limit: {limit}) are sold at an "
                'interactive price: take a rate with a latency limit, or state a batch price and price_class = "batch"'
            )


def _curves(site: Site) -> Iterator[str]:
    for block in site.inference:
        for doubt in block.curve.doubts if block.curve is not None else ():
            yield f"inference[{block.name}].device: {doubt}"


def _without_effect(site: Site) -> Iterator[str]:
    for block in site.inference:
        if block.is_contracted and block.promised_frac > 0.0:
            yield (
                f"inference[{block.name}]: sla_percent has no effect, because a tenant's load is switched off only in "
                "outages and events, or as interruptible_above_usd_per_mwh allows"
            )


def _outside(calendar: Calendar, windows: Mapping[str, Sequence[Window]]) -> Iterator[str]:
    year = f"{utc_text(calendar.start_s)} to {utc_text(calendar.start_s + calendar.hours * 3600)}"
    for key, listed in windows.items():
        for index, (start_s, hours) in enumerate(listed):
            if not share_of_steps(calendar, start_s, hours).any():
                yield f"{key}[{index}] at {utc_text(start_s)} is outside the year ({year}) and has no effect"
