"""Your own Bitcoin node: difficulty, fees and hashprice, without a third party."""

from bench.feeds.answers import FetchError
from bench.feeds.archive import Fetched
from bench.feeds.difficulty.node import header_of
from bench.feeds.rpc import DEFAULT_URL, call_request, field, results
from bench.feeds.sources.bitcoin_network import FEE_BLOCKS, network_figures, tip_of
from bench.feeds.sources.source import HOUR_S, Figure, Plan, Settings, Source
from hardware_profiles.errors import InputError, shown
from sites.market.bitcoin import SATOSHI_PER_BTC, subsidy_sat

_STATS = ["height", "totalfee", "subsidy"]


def _plan(_settings: Settings) -> Plan:
    body = yield call_request("mining", [("getmininginfo", []), ("getbestblockhash", [])])
    info, best = results(body, "getmininginfo", 2)
    height = field(info, "blocks", int, "getmininginfo")
    yield call_request("tip", [("getblockheader", [best, False]), ("getblockheader", [best, True])])
    heights = range(max(0, height - FEE_BLOCKS + 1), height + 1)
    yield call_request("stats", [("getblockstats", [each, _STATS]) for each in heights])


def _read(fetched: Fetched, _settings: Settings) -> list[Figure]:
    answers, place = fetched.answers(), fetched.url
    info, best = results(answers["mining"], place, 2)
    digits, stated = results(answers["tip"], place, 2)
    chain, height = field(info, "chain", str, place), field(info, "blocks", int, place)
    if chain != "main":
        raise InputError(f"{place}: expected a node on the main network, got one on {shown(chain)}")
    difficulty = float(field(info, "difficulty", int | float, place))
    tip = tip_of(place, field(stated, "height", int, place), header_of(digits, place), best, difficulty)
    if tip.height < height:
        raise InputError(f"{place}: height: expected {height} or more of the newest header, got {tip.height}")
    stats = results(answers["stats"], place)
    fees_sat = 0
    for due, block in enumerate(stats, height - len(stats) + 1):
        if field(block, "height", int, place) != due:
            raise FetchError(f"{place}: getblockstats: expected height {due}, got {shown(block['height'])}")
        if field(block, "subsidy", int, place) != subsidy_sat(due):
            raise FetchError(f"{place}: height {due}: subsidy: expected {subsidy_sat(due)}, got {block['subsidy']}")
        fees_sat += field(block, "totalfee", int, place)
    fees_btc = fees_sat / len(stats) / SATOSHI_PER_BTC
    return list(network_figures(tip, fees_btc, (height - len(stats) + 1, height), fetched.time_s))


SOURCE = Source(
    name="bitcoind",
    title="your own Bitcoin node (RPC)",
    url=DEFAULT_URL,
    age_limit_s=2 * HOUR_S,  # blocks are 2 h apart about once in three years
    plan=_plan,
    read=_read,
    login="node",
)
