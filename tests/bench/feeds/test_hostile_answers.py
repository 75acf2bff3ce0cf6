"""Answers with one hostile value anywhere: each source asks, stores and reads them, or refuses them in one line."""

import copy
import json
import random

import pytest
from doubles.feeds.chain import LIMIT, recent
from doubles.feeds.node import InventedBitcoind, InventedRest
from doubles.feeds.others import bitcoin

from bench.cli.feed.fetch import _document
from bench.feeds.archive import Archive
from bench.feeds.fetch import fetch
from bench.feeds.sources.source import Settings
from bench.feeds.sources.table import SOURCES
from kernels.sha256.header import difficulty, nbits_to_target

NOW_S = 1_800_000_000
SEEDS = 40
HOSTILE = (
    None, [], {}, "", "x", -1, 0, True, 1e300, -1e300, 10**30, -(10**30), 10**4000, float("nan"), float("inf"),
    "1" * 5000, "nan", "\x1b[31m", [[]], {"a": {}}, 2**63, 0.5, "\ud800", 1e-320,
)  # fmt: skip
DIFFICULTY = difficulty(nbits_to_target(LIMIT))
PAGES = {
    "/api/v1/difficulty-adjustment": {"difficultyChange": -1.25, "estimatedRetargetDate": 1_800_000_000_000},
    "/api/v1/fees/recommended": {"fastestFee": 9, "hourFee": 5},
    "/api/v1/mining/hashrate/3d": {"currentHashrate": 1.02e21, "currentDifficulty": DIFFICULTY},
    "/api/v1/mining/reward-stats/144": {"startBlock": 56, "endBlock": 199, "totalFee": "288000000"},
    "/api/v1/prices": {"time": NOW_S - 60, "USD": 100_000},
}
DAYS = range(NOW_S // 86_400 * 86_400 - 5 * 86_400, NOW_S, 86_400)
CHART = [[1000 * day, 1.5] for day in DAYS]
STATIC = {
    "kraken": bitcoin.kraken(DAYS),
    "coinbase": bitcoin.coinbase(DAYS),
    "coingecko": json.dumps({"prices": CHART, "market_caps": CHART, "total_volumes": CHART}).encode(),
    "energy-charts": json.dumps(
        {"unix_seconds": [NOW_S - 3600, NOW_S], "price": [1.5, 2.5], "unit": "EUR / MWh"}
    ).encode(),
    "openrouter": json.dumps({"data": [{"id": "m", "pricing": {"prompt": "0.1", "completion": "0.2"}}]}).encode(),
    "vast": json.dumps({"offers": [{"gpu_name": "g", "num_gpus": 2, "dph_total": 1.0}]}).encode(),
}
CHOSEN = {"openrouter": Settings(model="m"), "vast": Settings(gpu="g")}


class Local:
    """A source in memory, whose answers are changed by a function."""

    url = "http://127.0.0.1:1"

    def __init__(self, answer, change):
        self._answer, self._change = answer, change

    def fetch(self, request):
        return self._change(self._answer(request))

    def place(self, request):
        return f"{self.url}{request.path}"


def leaves(document, path=()):
    yield path
    children = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in children:
        yield from leaves(value, (*path, key))


def changed(body, source):
    """Return JSON with another value at a random place; other bodies lose their end."""
    try:
        document = json.loads(body)
    except ValueError:
        return body[: source.randrange(len(body))]
    *parents, key = source.choice(list(leaves(document))) or (None,)
    if key is None:
        return json.dumps(source.choice(HOSTILE)).encode()
    inner = document = copy.deepcopy(document)
    for parent in parents:
        inner = inner[parent]
    inner[key] = source.choice(HOSTILE)
    return json.dumps(document).encode("utf-8", "surrogatepass")


def fixed(body):
    return lambda _request: body


@pytest.fixture(scope="module")
def answers():
    headers = recent(200, NOW_S - 300)
    node = InventedBitcoind(headers)
    rest = InventedRest(headers, {path: json.dumps(page).encode() for path, page in PAGES.items()})
    yield {
        "bitcoind": lambda request: json.dumps([node._one(call) for call in json.loads(request.body)]).encode(),
        "mempool": lambda request: rest._answer("GET", f"/api{request.path}", {}, b"")[2],
        **{name: fixed(body) for name, body in STATIC.items()},
    }
    node.close()
    rest.close()


def hostile(seed):
    """Return a change of answers: none with seed 0, else one of a hostile value in most of them."""
    chance = random.Random(seed)
    return lambda body: changed(body, chance) if seed and chance.random() < 0.6 else body


@pytest.mark.parametrize("name", ["bitcoind", "mempool", *STATIC])
def test_a_hostile_value_anywhere_is_read_or_refused_in_one_line(answers, name, tmp_path):
    source, settings = SOURCES[name], CHOSEN.get(name, Settings())
    for seed in range(SEEDS):
        server, archive = Local(answers[name], hostile(seed)), Archive(tmp_path / str(seed))
        outcome = fetch(source, settings, server, archive, lambda: NOW_S)
        json.dumps(_document(outcome, NOW_S + 5.0), allow_nan=False)
        assert "\n" not in outcome.fault
        assert bool(outcome.fault) != bool(outcome.figures)
        assert seed or outcome.figures, outcome.fault
        assert len(outcome.fault) < 1000
