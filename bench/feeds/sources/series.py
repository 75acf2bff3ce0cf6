"""Series of prices: the raw answer is a market file, which `sites.feeds` reads as it reads any other."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

import numpy as np

from bench.feeds.answers import FetchError, Request
from bench.feeds.archive import Fetched
from bench.feeds.sources.source import HOUR_S, Figure, Plan, Settings, Source, check_time
from sites.feeds.read import read_feed

_SERIES = "series"
_EUROPE = ZoneInfo("Europe/Brussels")
# Bidding zones by the names of Energy-Charts, with their EIC codes, by which ENTSO-E knows them.
ZONES = {
    "AT": "10YAT-APG------L", "BE": "10YBE----------2", "CH": "10YCH-SWISSGRIDZ", "CZ": "10YCZ-CEPS-----N",
    "DE-LU": "10Y1001A1001A82H", "DK1": "10YDK-1--------W", "DK2": "10YDK-2--------M", "ES": "10YES-REE------0",
    "FI": "10YFI-1--------U", "FR": "10YFR-RTE------C", "NL": "10YNL----------L", "NO2": "10YNO-2--------T",
    "PL": "10YPL-AREA-----S", "PT": "10YPT-REN------W", "SE3": "10Y1001A1001A46L", "SE4": "10Y1001A1001A47J",
}  # fmt: skip


def zone_code(zone: str) -> str:
    """Return the EIC code of a bidding zone; a name that is not in the table counts as one."""
    return ZONES.get(zone.upper(), zone)


def _candles(path: str) -> Callable[[Settings], Plan]:
    def plan(_settings: Settings) -> Plan:
        yield Request(_SERIES, path)

    return plan


def days_of(settings: Settings) -> tuple[date, date]:
    """Return the first and the last day of prices: without a choice, today and tomorrow in Central Europe."""
    today = datetime.now(_EUROPE).date()
    first = settings.first_day or min(today, settings.last_day or today)
    return first, settings.last_day or max(first, today + timedelta(days=1))


def _energy_charts_plan(settings: Settings) -> Plan:
    first, last = days_of(settings)
    yield Request(_SERIES, f"/price?bzn={quote(settings.zone or 'DE-LU', safe='')}&start={first}&end={last}")


def _entsoe_plan(settings: Settings) -> Plan:
    first, last = days_of(settings)
    code = quote(zone_code(settings.zone), safe="")
    period = f"periodStart={_midnight(first)}&periodEnd={_midnight(last + timedelta(days=1))}"
    yield Request(
        _SERIES,
        f"/api?documentType=A44&contract_MarketAgreement.type=A01&in_Domain={code}&out_Domain={code}&{period}",
        hidden_query=f"&securityToken={quote(settings.key, safe='')}",
        suffix="xml",
    )


def _midnight(day: date) -> str:
    """Return the start of a day of Central European time as UTC, in the form of ENTSO-E."""
    return datetime.combine(day, time(), _EUROPE).astimezone(UTC).strftime("%Y%m%d%H%M")


def _read(fetched: Fetched, choices: dict[str, str]) -> list[Figure]:
    fetched.answers()  # the file is what was stored
    feed = read_feed(fetched.files[_SERIES], choices)
    intervals, unit = feed.intervals, feed.unit.lower().replace("/", "_per_")
    known = np.flatnonzero(~np.isnan(intervals.values))
    if not known.size:
        raise FetchError(f"{fetched.url}: expected prices, got {len(intervals.values)} intervals without one")
    end_s = float(intervals.end_s[known[-1]])
    for time_s in (float(intervals.start_s[known[0]]), end_s):
        check_time(f"{fetched.files[_SERIES]}", time_s)
    as_of_s = min(end_s, fetched.time_s)
    running = known[intervals.start_s[known] <= fetched.time_s]
    now = int(running[-1] if running.size else known[0])
    figures = intervals.statistics()
    begins, ends = (_utc(float(each)) for each in (intervals.start_s[known[0]], end_s))
    note = f"{known.size} intervals from {begins} to {ends}, {intervals.missing} missing"
    return [
        Figure(
            f"latest_{unit}", float(intervals.values[now]), as_of_s, f"from {_utc(float(intervals.start_s[now]))} on"
        ),
        Figure(f"mean_{unit}", figures.mean, as_of_s, note),
        Figure(f"lowest_{unit}", figures.lowest, as_of_s),
        Figure(f"highest_{unit}", figures.highest, as_of_s),
    ]


def _utc(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%MZ")


def _read_any(fetched: Fetched, _settings: Settings) -> list[Figure]:
    return _read(fetched, {})


def _read_day_ahead(fetched: Fetched, settings: Settings) -> list[Figure]:
    choices = {"market": "day-ahead"}
    return _read(fetched, choices | ({"sequence": settings.sequence} if settings.sequence else {}))


PRICE_AGE_S, DAY_AHEAD_AGE_S = 36 * HOUR_S, 24 * HOUR_S

SOURCES = (
    Source(
        name="kraken",
        title="Kraken's daily candles of bitcoin in USD",
        url="https://api.kraken.com",
        age_limit_s=PRICE_AGE_S,
        plan=_candles("/0/public/OHLC?pair=XBTUSD&interval=1440"),
        read=_read_any,
    ),
    Source(
        name="coinbase",
        title="Coinbase's daily candles of bitcoin in USD",
        url="https://api.exchange.coinbase.com",
        age_limit_s=PRICE_AGE_S,
        plan=_candles("/products/BTC-USD/candles?granularity=86400"),
        read=_read_any,
    ),
    Source(
        name="coingecko",
        title="CoinGecko's price of bitcoin in USD",
        url="https://api.coingecko.com/api/v3",
        age_limit_s=PRICE_AGE_S,
        plan=_candles("/coins/bitcoin/market_chart?vs_currency=usd&days=365"),
        read=_read_any,
    ),
    Source(
        name="energy-charts",
        title="Energy-Charts' day-ahead prices",
        url="https://api.energy-charts.info",
        age_limit_s=DAY_AHEAD_AGE_S,
        plan=_energy_charts_plan,
        read=_read_any,
        options=("zone", "first_day", "last_day"),
    ),
    Source(
        name="entsoe",
        title="ENTSO-E's day-ahead prices (document A44)",
        url="https://web-api.tp.entsoe.eu",
        age_limit_s=DAY_AHEAD_AGE_S,
        plan=_entsoe_plan,
        read=_read_day_ahead,
        options=("zone", "first_day", "last_day", "sequence", "key"),
        needed=("zone", "key"),
        key_env="ENTSOE_API_KEY",
    ),
)
