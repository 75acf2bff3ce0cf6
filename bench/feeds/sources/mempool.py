"""A server of the form of mempool.space: difficulty and its next change, fees, hashprice and a price of bitcoin."""

import json
from typing import Any

from bench.feeds.answers import FetchError, Request, short_text
from bench.feeds.archive import Fetched
from bench.feeds.difficulty.node import HIGHEST, header_of
from bench.feeds.difficulty.rest import DEFAULT_URL
from bench.feeds.difficulty.table import utc_text
from bench.feeds.sources.bitcoin_network import FEE_BLOCKS, Tip, hashprice_btc_per_ph_day, network_figures, tip_of
from bench.feeds.sources.source import HOUR_S, Figure, Plan, Settings, Source, check_time, number
from hardware_profiles.errors import InputError, shown
from sites.market.bitcoin import SATOSHI_PER_BTC

_MILLISECONDS_FROM = 1e11  # [s, unix] the year 5138: a larger number is in milliseconds


def _plan(_settings: Settings) -> Plan:
    yield Request("tip-height", "/blocks/tip/height", suffix="txt")
    block_hash = _text((yield Request("tip-hash", "/blocks/tip/hash", suffix="txt")))
    yield Request("tip-header", f"/block/{block_hash}/header", suffix="txt")
    yield Request("adjustment", "/v1/difficulty-adjustment")
    yield Request("hashrate", "/v1/mining/hashrate/3d")
    yield Request("rewards", f"/v1/mining/reward-stats/{FEE_BLOCKS}")
    yield Request("fees", "/v1/fees/recommended")
    yield Request("prices", "/v1/prices")


def _read(fetched: Fetched, _settings: Settings) -> list[Figure]:
    answers, place, fetched_s = fetched.answers(), fetched.url, fetched.time_s
    documents = {
        name: _json(answers[name], f"{place}: {name}")
        for name in ("adjustment", "hashrate", "rewards", "fees", "prices")
    }
    tip = tip_of(
        place,
        int(_digits(answers["tip-height"], place)),
        header_of(_text(answers["tip-header"]), place),
        _text(answers["tip-hash"]),
        number(documents["hashrate"], f"{place}: hashrate", "currentDifficulty"),
    )
    fees_btc, blocks = _fees(documents["rewards"], f"{place}: rewards", tip)
    figures = list(network_figures(tip, fees_btc, blocks, fetched_s))
    as_of_s = figures[0].as_of_s
    usd_per_btc = number(documents["prices"], f"{place}: prices", "USD")
    if not usd_per_btc > 0.0:
        raise InputError(f"{place}: prices: USD: expected a price above 0, got {shown(usd_per_btc)}")
    priced_s = check_time(f"{place}: prices: time", number(documents["prices"], f"{place}: prices", "time"))
    price_s = min(priced_s, fetched_s)
    hashprice_usd = hashprice_btc_per_ph_day(tip, fees_btc) * usd_per_btc
    change_s = _seconds(number(documents["adjustment"], f"{place}: adjustment", "estimatedRetargetDate"))
    check_time(f"{place}: adjustment: estimatedRetargetDate", change_s)
    return [
        *figures,
        Figure("usd_per_btc", usd_per_btc, price_s),
        Figure("hashprice_usd_per_ph_day", hashprice_usd, min(as_of_s, price_s), "computed, at this price"),
        Figure(
            "estimated_rate_h_s",
            number(documents["hashrate"], f"{place}: hashrate", "currentHashrate"),
            as_of_s,
            "the source's estimate from recent blocks",
        ),
        Figure(
            "next_difficulty_change_percent",
            number(documents["adjustment"], f"{place}: adjustment", "difficultyChange"),
            as_of_s,
            f"the source's estimate for {utc_text(change_s)}",
        ),
        Figure("fastest_fee_sat_per_vb", number(documents["fees"], f"{place}: fees", "fastestFee"), as_of_s),
        Figure("hour_fee_sat_per_vb", number(documents["fees"], f"{place}: fees", "hourFee"), as_of_s),
    ]


def _fees(rewards: Any, place: str, tip: Tip) -> tuple[float, tuple[int, int]]:
    """Return the mean fees [BTC/block], with the first and the last height of their blocks."""
    first, last = (int(number(rewards, place, key)) for key in ("startBlock", "endBlock"))
    if not 0 <= last - first < 2 * FEE_BLOCKS or abs(last - tip.height) > FEE_BLOCKS:
        raise FetchError(f"{place}: expected {FEE_BLOCKS} blocks up to height {tip.height}, got {first} to {last}")
    return number(rewards, place, "totalFee") / (last - first + 1) / SATOSHI_PER_BTC, (first, last)


def _seconds(time: float) -> float:
    """Return a time [s, unix]: the server has milliseconds, and its documentation shows seconds."""
    return time / 1000.0 if time > _MILLISECONDS_FROM else time


def _json(body: bytes, place: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise FetchError(f"{place}: expected JSON, got {short_text(body)}") from None


def _text(body: bytes) -> str:
    text = body.decode("ascii", "replace").strip()
    if not text.isalnum():
        raise FetchError(f"expected the text of a REST server such as mempool.space, got {short_text(body)}")
    return text


def _digits(body: bytes, place: str) -> str:
    text = _text(body)
    if not text.isdecimal() or len(text) > len(str(HIGHEST)):
        raise FetchError(f"{place}: tip-height: expected a height, got {shown(text)}")
    return text


SOURCE = Source(
    name="mempool",
    title="mempool.space, or your own instance of it",
    url=DEFAULT_URL,
    age_limit_s=2 * HOUR_S,
    plan=_plan,
    read=_read,
)
