"""The rows of the planner tables of site years."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from sites.dispatch.columns import REASONS
from sites.dispatch.parts import hourly_worth, meter_of_parts, penalties_usd_per_mwh, value_curve
from sites.dispatch.rents import rent_hourly_usd
from sites.dispatch.waterfall import waterfalls
from sites.dispatch.year import summarise
from sites.hours.calendar import HOUR_S, local_text, zone
from sites.planners.storage_rows import storage_columns, with_battery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.dispatch.year import SiteYear
    from sites.market.device_rate import DeviceRate

    Row = dict[str, Any]

BASE = "base"
_OUTPUT_UNITS = {"hash": "hash", "token": "token", "gpu_hour": "GPU-hour", "kw_month": "kW-month"}


def site_rows(years: Sequence[SiteYear]) -> list[Row]:
    """Return the rows of `site`, one for each site."""
    return [
        {
            "site": year.site.name,
            "region": year.site.region,
            "timezone": year.site.timezone,
            "start_utc": datetime.fromtimestamp(year.site.start_s, tz=UTC),
            "start_local": local_text(year.site.start_s, zone(year.site.timezone)),
            "hours": year.hours,
            "interconnect_mw": year.site.interconnect_mw,
            "delivered_frac": year.site.delivered_frac,
            "availability_frac": year.site.availability_frac,
            "metered_mwh": year.metered_mwh,
            "revenue_usd": year.revenue_usd,
            "energy_usd": year.energy_usd,
            "demand_charge_usd": year.demand_charge_usd,
            "resale_usd": year.resale_usd,
            "credits_usd": year.credits_usd,
            "penalty_usd": year.penalty_usd,
            "fixed_usd": year.fixed_usd,
            "net_usd": year.net_usd,
            "carbon_kg": year.carbon_kg,
            "difficulty_assumed_frac": year.assumed_frac,
            "currency": year.site.currency,
            "currency_per_usd": year.site.currency_per_usd,
            **storage_columns(year),
        }
        for year in years
    ]


def block_rows(years: Sequence[SiteYear]) -> list[Row]:
    """Return the rows of `site_block`, one for each block."""
    rows = []
    for year in years:
        sources = {block.name: block for block in year.site.blocks}
        for block in year.blocks:
            figures = asdict(block)
            figures.pop("passed_usd")
            name = figures.pop("name")
            source = sources[name]
            rows.append(
                {
                    "site": year.site.name,
                    "block": name,
                    "device": source.rate.name,
                    "count": source.count,
                    **figures,
                    "basis": "modelled",
                }
            )
    return rows


def device_rows(years: Sequence[SiteYear]) -> list[Row]:
    """Return the rows of `device_result`: the device rate of each block."""
    return [
        {"site": year.site.name, "block": block.name, **_device(block.rate)}
        for year in years
        for block in year.site.blocks
    ]


def _device(rate: DeviceRate) -> Row:
    low, high = rate.rate_interval_per_s or (None, None)
    power_low, power_high = rate.power_interval_w or (None, None)
    tags = rate.tags
    return {
        "device": rate.name,
        "unit": rate.unit,
        "rate_per_s": rate.rate_per_s,
        "rate_low_per_s": low,
        "rate_high_per_s": high,
        "power_w": rate.power_w,
        "power_low_w": power_low,
        "power_high_w": power_high,
        "boundary": rate.boundary,
        "basis": rate.basis,
        "power_basis": rate.power_basis,
        "confidence": rate.confidence,
        "power_kind": tags.power_kind if tags else None,
        "token_basis": tags.token_basis if tags else None,
        "lengths": tags.lengths if tags else None,
        "latency_limit": tags.latency_limit if tags else None,
        "plan": rate.plan or None,
        "codes": ", ".join(rate.codes) or None,
        "source": rate.source,
    }


def annual_rows(years: Sequence[SiteYear]) -> list[Row]:
    """Return the rows of `yield_annual`, one for each quantity."""
    units = {
        "btc_per_day": "BTC/day",
        "tokens_per_day": "token/day",
        "revenue_usd": "USD",
        "energy_usd": "USD",
        "net_usd": "USD",
        "metered_mwh": "MWh",
        "revenue_usd_per_mwh": "USD/MWh",
        "margin_usd_per_mwh": "USD/MWh",
        "mining_usd_per_mwh": "USD/MWh",
        "inference_usd_per_mwh": "USD/MWh",
        "carbon_kg": "kg",
        "kg_per_btc": "kg/BTC",
        "kg_per_mtok": "kg/Mtok",
        "difficulty_assumed_frac": "1",
    }
    rows: list[Row] = []

    def add(year: SiteYear, owner: tuple[str | None, str | None], metric: str, value: object, unit: str) -> None:
        rows.append(
            {
                "site": year.site.name,
                "block": owner[0],
                "product": owner[1],
                "metric": metric,
                "unit": unit,
                "statistic": BASE,
                "value": value,
                "scenarios": None,
            }
        )

    for year in years:
        summary = asdict(summarise(year))
        for metric, unit in units.items():
            add(year, (None, None), metric, summary[metric], unit)
        for block in year.blocks:
            for metric, value, unit in (
                ("units", block.units, _OUTPUT_UNITS[block.unit]),
                ("btc", block.btc, "BTC"),
                ("facility_mwh", block.facility_mwh, "MWh"),
                ("revenue_usd", block.revenue_usd, "USD"),
                ("energy_usd", block.energy_usd, "USD"),
            ):
                add(year, (block.name, block.product), metric, value, unit)
    return rows


def waterfall_rows(years: Sequence[SiteYear]) -> list[Row]:
    """Return the rows of `loss_waterfall`, one for each step of each product."""
    return [
        {
            "site": year.site.name,
            "product": waterfall.product,
            "step": index,
            **asdict(step),
            "reaches": step.reaches or None,
        }
        for year in years
        for waterfall in waterfalls(year)
        for index, step in enumerate(waterfall.steps)
    ]


def assumption_rows(years: Sequence[SiteYear]) -> list[Row]:
    """Return the rows of `assumption`: all values of the site files with their sources."""
    return [
        {
            "site": year.site.name,
            "key": assumption.key,
            "value": str(assumption.value),
            "source": assumption.source,
            "date": assumption.date,
        }
        for year in years
        for assumption in year.site.assumptions
    ]


def curve_rows(years: Sequence[SiteYear]) -> list[Row]:
    """Return the rows of `value_curve`: the worth of one more metered MWh in each part, highest first."""
    return [
        {
            "site": year.site.name,
            "block": step.label.text,
            "product": step.label.product,
            "statistic": BASE,
            "mw_from": step.mw_from,
            "mw_to": step.mw_to,
            "usd_per_mwh": step.usd_per_mwh,
        }
        for year in years
        for step in value_curve(year)
    ]


def hourly_table(year: SiteYear) -> dict[str, Any]:
    """Return the columns of `yield_hourly` for a year that was run with `hourly=True`."""
    year.site.check_hourly("plan")
    mw, why, price = year.in_hours()
    site, hours, count = year.site, year.hours, len(year.labels)
    per_device = meter_of_parts(site, year.labels)
    meter = mw * per_device.T
    revenue, worth = revenue_hourly(year, meter)
    times = site.start_s + HOUR_S * np.arange(hours)
    columns = {
        "site": np.full(hours * count, site.name, object),
        "time_utc": np.repeat(times, count),
        "time_local": np.repeat(_local_texts(times, site.timezone), count),
        "block": np.tile(np.array([label.name for label in year.labels], object), hours),
        "part": np.tile(np.array([label.part or None for label in year.labels], object), hours),
        "product": np.tile(np.array([label.product for label in year.labels], object), hours),
        "device_mw": mw.ravel(),
        "meter_mw": meter.ravel(),
        "worth_usd_per_mwh": worth.ravel(),
        "price_usd_per_mwh": np.repeat(price, count),
        "revenue_usd": revenue.ravel(),
        "reason": np.array(REASONS, object)[why.ravel()],
    }
    return columns if site.battery is None else with_battery(year, columns)


def _local_texts(times: Any, timezone: str) -> Any:
    local = zone(timezone)
    return np.array([local_text(int(at_s), local) for at_s in times], object)


def revenue_hourly(year: SiteYear, meter_mw: Any) -> tuple[Any, Any]:
    """Return revenue [USD] and worth [USD/MWh at the meter], both [T, parts]; the worth of idle power is NaN."""
    if year.storage is not None:  # what is drawn while waking up earns nothing
        meter_mw = year.storage.useful_mw * meter_of_parts(year.site, year.labels).T
    _, ranked, _ = hourly_worth(year.site)
    worth = np.full((len(year.labels), year.hours), np.nan)
    working = [index for index, label in enumerate(year.labels) if label.part != "idle"]
    worth[working] = ranked
    revenue = np.nan_to_num(meter_mw * np.nan_to_num(worth.T - penalties_usd_per_mwh(year.site).T))
    for block in year.site.inference:
        if block.is_contracted:
            last = max(index for index, label in enumerate(year.labels) if label.name == block.name)
            revenue[:, last] += rent_hourly_usd(year.site, block)
            worth[last] = np.nan
    return revenue, worth.T
