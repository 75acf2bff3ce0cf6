"""Doubts that need more than one number: what the network pays, what a site holds, what its prices mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.dispatch.problem import meter_mw
from sites.market.bitcoin import (
    BLOCK_S,
    SATOSHI_PER_BTC,
    bundled_difficulty,
    stretches,
)
from sites.model import MiningBlock
from sites.plausible.bands import band_file, known_band, written
from sites.plausible.calendar import btc_doubt, season_doubt
from sites.plausible.doubts import Doubt, FileNumber, doubt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sites.model import InferenceBlock, Site

    Numbers = Mapping[str, FileNumber]

SIZES = ("count", "gpus", "modules", "facility_mw", "interconnect_percent")
MANY_TIMES = 300.0  # between the median of a month and that of the year: a unit, not a season


def relation_doubts(site: Site, numbers: Numbers) -> Iterator[Doubt]:
    """Yield the doubts about a site as a whole.

    Parameters
    ----------
    site
        The site.
    numbers
        The numbers of its file by their keys.
    """
    found = [
        _currency(site, numbers),
        _first_year(site),
        btc_doubt(site),
        season_doubt(site, numbers),
        _pue(numbers),
        _battery(numbers),
        *_hourly_price(site, numbers),
        *_difficulty(site, numbers),
        *_network(site),
        *_sizes(site, numbers),
        *_devices(site),
        *_sales(site),
    ]
    yield from (each for each in found if each is not None)


def _currency(site: Site, numbers: Numbers) -> Doubt | None:
    rates = band_file().currencies
    if site.currency not in rates.per_usd or "price.currency_per_usd" not in numbers:
        return None
    low, high = rates.per_usd[site.currency]
    rate = site.currency_per_usd
    if low <= rate <= high:
        return None
    upside_down = low <= 1.0 / rate <= high
    cause = f"upside down? write {written(1.0 / rate)}" if upside_down else "another currency, or a thousands separator"
    return Doubt(
        f"key price.currency_per_usd: expected {written(low)} to {written(high)} {site.currency} for one USD, got "
        f"{written(rate)}, so that 42 {site.currency} = {written(42.0 / rate)} USD ({cause})",
        absurd=False,
    )


def _battery(numbers: Numbers) -> Doubt | None:
    power, energy = numbers.get("battery.power_mw"), numbers.get("battery.energy_mwh")
    if power is None or energy is None:
        return None
    hours = energy.value / power.value
    got = f"{written(energy.value)} MWh with {written(power.value)} MW, which are {hours:,.4g} hours"
    return doubt(known_band("duration of the battery"), energy.key, energy.value, scale=1.0 / power.value, got=got)


def _first_year(site: Site) -> Doubt | None:
    year, band = datetime.fromtimestamp(site.start_s + 86_400, tz=UTC).year, known_band("first year")
    if year in band:
        return None
    text = f"key site.start: expected a year of {band.low:.0f} to {band.high:.0f}, got {year} ({band.source})"
    return Doubt(text, absurd=False)


def _pue(numbers: Numbers) -> Doubt | None:
    mining, gpu = (numbers.get(f"cooling.{product}_pue") for product in ("mining", "gpu"))
    if mining is None or gpu is None or gpu.value <= 1.0:
        return None
    got = f"{written(mining.value)} with a gpu_pue of {written(gpu.value)}; exchanged?"
    return doubt(known_band("mining PUE over GPU PUE"), mining.key, mining.value, scale=1.0 / gpu.value, got=got)


def _hourly_price(site: Site, numbers: Numbers) -> Iterator[Doubt | None]:
    if "price.energy_usd_per_mwh" in numbers or "price.time_of_use.base_usd_per_mwh" in numbers:
        return
    key, spot, per_usd = "price.hourly", site.spot_usd_per_mwh, site.currency_per_usd
    for name, value in (("mean", spot.mean()), ("highest", spot.max()), ("lowest", spot.min())):
        got = f"{written(_short(value))} USD/MWh as the {name} of its hours"
        found = doubt(known_band(f"{name} hourly price"), key, _short(value * per_usd), scale=1.0 / per_usd, got=got)
        yield found
        if found is not None:
            return
    yield _mixed_units(site)


def _mixed_units(site: Site) -> Doubt | None:
    """Return a doubt if the price of a month is a thousand times off that of the year."""
    size = np.abs(site.spot_usd_per_mwh)
    year = float(np.median(size))
    for month in range(12):
        inside = float(np.median(size[site.calendar.month == month]))
        if not year / MANY_TIMES <= inside <= year * MANY_TIMES and inside > 0.0:
            return Doubt(
                f"key price.hourly: expected one unit in all months, got a median of {written(_short(inside))} "
                f"USD/MWh in month {month + 1} and of {written(_short(year))} in the year (per kWh in one of them?)",
                absurd=False,
            )
    return None


def _difficulty(site: Site, numbers: Numbers) -> Iterator[Doubt | None]:
    keys = [number.key for number in numbers.values() if number.field == "market.difficulty.difficulty"]
    for at, (time_s, difficulty) in enumerate(site.path.points):
        bundled = bundled_difficulty(time_s)
        ratio = f"{written(_short(difficulty / bundled))} times the {written(_short(bundled))} of the data"
        found = doubt(
            known_band("difficulty over the bundled one"), keys[at] if keys else "market.difficulty_file", difficulty,
            scale=1.0 / bundled, got=f"{written(difficulty)}, {ratio}",
        )  # fmt: skip
        yield found
        if found is not None and not keys:  # one line for a whole table
            return


class Network(NamedTuple):
    """The mean of the Bitcoin network over a year."""

    hash_per_s: float  # that the difficulty implies
    btc_per_day: float  # that it pays, fees included


def network_of(site: Site) -> Network:
    """Return the hash rate that the difficulty of a site's year implies, and what the network pays a day."""
    parts = stretches(site.start_s, site.start_s + 3600 * site.hours, site.path)
    seconds = sum(part.end_s - part.start_s for part in parts)
    hashes = sum((part.end_s - part.start_s) * part.hashes_per_block for part in parts) / seconds
    subsidy = sum((part.end_s - part.start_s) * part.subsidy_sat for part in parts) / seconds / SATOSHI_PER_BTC
    fees = site.fees_btc_per_block  # [BTC/block] the same before and after a halving
    paid = subsidy * (1.0 + float(site.fees_frac.mean())) if fees is None else subsidy + fees
    return Network(hashes / BLOCK_S, paid * 86_400 / BLOCK_S)


def _network(site: Site) -> Iterator[Doubt | None]:
    if not site.mining:
        return
    network = network_of(site)
    for block in site.mining:
        share = block.count * block.rate.rate_per_s / network.hash_per_s
        yield doubt(
            known_band("share of the network"), f"mining[{block.name}].count", block.count,
            scale=block.rate.rate_per_s / network.hash_per_s,
            got=f"{block.count:,.0f} devices of {block.rate.rate_per_s / 1e12:,.4g} TH/s: {share:.3g} times the "
            f"{network.hash_per_s / 1e18:,.4g} EH/s that the difficulty implies, {share * network.btc_per_day:,.4g} "
            f"BTC a day of the {network.btc_per_day:,.4g} that the network pays",
        )  # fmt: skip


def _sizes(site: Site, numbers: Numbers) -> Iterator[Doubt | None]:
    key, interconnect = "power.interconnect_mw", site.interconnect_mw
    drawn = {block.name: meter_mw(site, block) for block in site.blocks}
    load = sum(drawn.values())
    whole = doubt(
        known_band("interconnect over load"), key, interconnect, scale=1.0 / load,
        got=f"{written(interconnect)} MW for blocks that draw {load:.4g} MW",
    )  # fmt: skip
    yield whole
    for block in site.blocks:
        size = _size_of(block, numbers)
        if size is None:
            continue
        if size.field.endswith("interconnect_percent"):
            yield doubt(known_band("interconnect sized by shares"), key, interconnect)
        elif whole is None or drawn[block.name] > interconnect:
            yield doubt(
                known_band("block over interconnect"), size.key, size.value,
                scale=drawn[block.name] / interconnect / size.value,
                got=f"{written(size.value)}: {drawn[block.name]:.4g} MW at the meter of {written(interconnect)} MW",
            )  # fmt: skip
    for number in numbers.values():
        if number.field == "curtailment.event.limit_mw":
            yield doubt(known_band("limit over interconnect"), number.key, number.value, scale=1.0 / interconnect)
    if "cost.fixed_usd_per_year" in numbers:
        fixed = numbers["cost.fixed_usd_per_year"]
        got = f"{written(fixed.value)}, {written(_short(fixed.value / interconnect))} for each MW"
        yield doubt(known_band("cost over interconnect"), fixed.key, fixed.value, scale=1.0 / interconnect, got=got)


def _size_of(block: MiningBlock | InferenceBlock, numbers: Numbers) -> FileNumber | None:
    product = "mining" if isinstance(block, MiningBlock) else "inference"
    keys = (f"{product}[{block.name}].{size}" for size in SIZES)
    return next((numbers[key] for key in keys if key in numbers), None)


def _devices(site: Site) -> Iterator[Doubt | None]:
    for miner in site.mining:
        energy = (miner.rate.energy_j_per_unit or 0.0) * 1e12
        name = "J/TH of a miner" if miner.rate.basis == "measured" else "J/TH of a rated miner"
        yield doubt(
            known_band(name), f"mining[{miner.name}].device", energy, got=f"{energy:.4g} J/TH of {miner.rate.name}"
        )
        if miner.rated is not None:
            ratio = miner.rate.rate_per_s / miner.rated.rate_per_s
            got = f"{miner.rate.name}, which hashes {ratio:.3g} times as fast as {miner.rated.name}"
            yield doubt(known_band("measured over rated"), f"mining[{miner.name}].rated_device", ratio, got=got)
    for block in site.inference:
        if block.rated_tokens_per_s is not None:
            ratio = block.rate.rate_per_s / block.rated_tokens_per_s
            got = f"a rate of {block.rate.rate_per_s:,.4g} tokens/s, {ratio:.3g} times the rated one"
            yield doubt(
                known_band("measured over rated"), f"inference[{block.name}].rated_tokens_per_s", ratio, got=got
            )


def _sales(site: Site) -> Iterator[Doubt | None]:
    for block in site.inference:
        if block.priced_per == "token" and block.price_usd > 0.0:
            per_hour = block.rate.rate_per_s * 3600.0 / 1e6
            yield doubt(
                known_band("USD per GPU-hour of tokens"), f"inference[{block.name}].usd_per_mtok", block.price_usd,
                scale=per_hour,
                got=f"{written(block.price_usd)}, which is {block.price_usd * per_hour:,.4g} USD an hour of a GPU",
            )  # fmt: skip


def _short(value: float) -> float:
    """Return a value with four digits."""
    return float(f"{value:.4g}")
