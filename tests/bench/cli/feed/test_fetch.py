"""`perwatt feed fetch` from servers on loopback: raw answers first, and the last good ones after a fault."""

import json
import re
import time
from hashlib import sha256

import pytest
from doubles.feeds.chain import LIMIT, recent
from doubles.feeds.node import PASSWORD, SUBSIDY_SAT, InventedBitcoind, InventedRest, fee_sat
from doubles.feeds.web import WebSource

from kernels.sha256.header import difficulty, nbits_to_target
from sites.market.bitcoin import expected_hashes

KEY = "secret-key-0123456789"


@pytest.fixture
def tip_s():
    return int(time.time()) - 300


@pytest.fixture
def fresh(serve, tip_s):
    return serve(InventedBitcoind, recent(200, tip_s))


@pytest.fixture
def from_node(perwatt, cookie):
    def call(url, *more):
        return perwatt("feed", "fetch", "bitcoind", "--url", url, "--cookie-file", cookie, *more)

    return call


def figures(done):
    return {figure["name"]: figure for figure in json.loads(done.stdout)["figures"]}


def without_age(done):
    return [{key: figure[key] for key in ("name", "value", "as_of_utc", "note")} for figure in figures(done).values()]


def test_a_node_gives_difficulty_fees_of_144_blocks_and_a_computed_hashprice(from_node, fresh):
    done = from_node(fresh.url, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    shown = figures(done)
    hashes = expected_hashes(nbits_to_target(LIMIT))
    fees_btc = sum(fee_sat(height) for height in range(56, 200)) / 144 / 1e8
    assert shown["height"]["value"] == 199
    assert shown["difficulty"]["value"] == pytest.approx(difficulty(nbits_to_target(LIMIT)), rel=1e-12)
    assert shown["network_rate_h_s"]["value"] == pytest.approx(hashes / 600)
    assert shown["fees_btc_per_block"]["value"] == pytest.approx(fees_btc, rel=1e-12)
    assert shown["fees_btc_per_block"]["note"] == "mean of 144 blocks, heights 56 to 199"
    assert shown["hashprice_btc_per_ph_day"]["value"] == pytest.approx(
        1e15 * 86_400 / hashes * (SUBSIDY_SAT / 1e8 + fees_btc), rel=1e-12
    )
    assert all(300 <= figure["age_s"] < 360 and not figure["stale"] for figure in shown.values())


def test_the_raw_answers_are_stored_under_their_time_and_hash_and_read_again_alike(from_node, perwatt, fresh, tmp_path):
    live = from_node(fresh.url, "--json")
    files = json.loads(live.stdout)["files"]
    for name, file in files.items():
        content = (tmp_path / file).read_bytes()
        assert f"-{name}-{sha256(content).hexdigest()[:12]}.json" in file
    requests = len(fresh.requests)
    replay = perwatt("feed", "fetch", "bitcoind", "--stored", "--json")
    assert replay.returncode == 0, replay.stderr
    assert without_age(replay) == without_age(live)
    assert len(fresh.requests) == requests
    assert PASSWORD not in "".join(path.read_text("utf-8") for path in (tmp_path / "feeds").rglob("*.json"))


def test_a_fetch_that_fails_leaves_the_last_good_data_with_their_age_and_exit_status_1(from_node, fresh, tmp_path):
    good = from_node(fresh.url, "--json")
    before = sorted((tmp_path / "feeds").rglob("*"))
    fresh.close()
    done = from_node(fresh.url)
    assert done.returncode == 1
    assert "Last good answers, fetched" in done.stdout
    assert "the figures shown are up to 5" in done.stderr
    assert len(re.findall(r"\b5(?:\.\d+)? min\b", done.stdout)) == len(figures(good))
    assert sorted((tmp_path / "feeds").rglob("*")) == before
    again = from_node(fresh.url, "--json")
    assert without_age(again) == without_age(good)
    assert "Connection refused" in json.loads(again.stdout)["fault"]


def test_a_first_fetch_that_fails_says_that_there_are_no_earlier_answers(from_node, fresh):
    fresh.warming_up = True
    done = from_node(fresh.url)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the node is starting; ask again later" in done.stderr
    assert "feeds/bitcoind has no earlier answers that can be read" in done.stderr


def test_a_node_whose_newest_block_is_old_is_stale_although_it_answers(from_node, serve):
    node = serve(InventedBitcoind, recent(200, int(time.time()) - 3 * 3600))
    done = from_node(node.url)
    assert done.returncode == 1
    assert "bitcoind: expected data of at most 2 h, got data of 3 h" in done.stderr
    assert done.stdout.count(", stale") == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"getmininginfo": lambda v: v | {"difficulty": 2.0}},
            "difficulty: expected 0.000000, which its bits 207fffff",
        ),
        ({"getmininginfo": lambda v: v | {"chain": "test"}}, "expected a node on the main network, got one on 'test'"),
        ({"getmininginfo": lambda v: v | {"blocks": "x"}}, "blocks: expected a value of a Bitcoin node, got 'x'"),
        (
            {"getblockheader": lambda v: v | {"height": 7} if isinstance(v, dict) else v},
            "expected 199 or more of the newest",
        ),
        ({"getblockstats": lambda v: v | {"height": 3}}, "getblockstats: expected height 56, got 3"),
        ({"getblockstats": lambda v: v | {"subsidy": 1}}, "height 56: subsidy: expected 5000000000, got 1"),
    ],
)
def test_a_node_that_contradicts_its_header_is_refused_and_the_last_good_data_stay(  # noqa: PLR0917
    from_node, fresh, serve, tip_s, change, message
):
    good = from_node(fresh.url, "--json")
    wrong = serve(InventedBitcoind, recent(200, tip_s), **change)
    done = from_node(wrong.url, "--json")
    assert done.returncode == 1
    assert message in json.loads(done.stdout)["fault"]
    assert done.stderr.count("\n") == 1
    assert without_age(done) == without_age(good)


def test_a_height_that_falls_is_refused(from_node, fresh, tip_s):
    from_node(fresh.url)
    fresh.headers = list(recent(193, tip_s))
    for _ in range(2):  # what was refused is not the last good one of the next time
        assert "height: expected 199 or more, as before, got 192" in from_node(fresh.url).stderr
    fresh.headers = list(recent(194, tip_s))
    assert from_node(fresh.url).returncode == 0


def test_a_stored_answer_that_was_changed_is_not_good(from_node, perwatt, fresh, tmp_path):
    files = json.loads(from_node(fresh.url, "--json").stdout)["files"]
    first = from_node(fresh.url, "--json")
    path = tmp_path / json.loads(first.stdout)["files"]["stats"]
    path.write_bytes(path.read_bytes().replace(b"1000000", b"9000000"))
    replay = perwatt("feed", "fetch", "bitcoind", "--stored", "--json")
    assert json.loads(replay.stdout)["files"] == files


MEMPOOL = {
    "/api/v1/difficulty-adjustment": {"difficultyChange": -1.25, "estimatedRetargetDate": 1_800_000_000_000},
    "/api/v1/fees/recommended": {"fastestFee": 9, "halfHourFee": 7, "hourFee": 5},
    "/api/v1/mining/hashrate/3d": {"currentHashrate": 1.02e21, "currentDifficulty": difficulty(nbits_to_target(LIMIT))},
    "/api/v1/mining/reward-stats/144": {"startBlock": 56, "endBlock": 199, "totalFee": "288000000"},
}


@pytest.fixture
def mempool(serve, tip_s):
    pages = {**MEMPOOL, "/api/v1/prices": {"time": tip_s - 60, "USD": 100_000, "EUR": 90_000}}
    pages = {path: json.dumps(page).encode() for path, page in pages.items()}
    return serve(InventedRest, recent(200, tip_s), pages)


def test_a_server_like_mempool_gives_price_fees_and_the_hashprice_in_usd_as_old_as_its_oldest_part(perwatt, mempool):
    done = perwatt("feed", "fetch", "mempool", "--url", f"{mempool.url}/api", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    shown = figures(done)
    assert shown["fees_btc_per_block"]["value"] == pytest.approx(0.02)
    assert shown["usd_per_btc"]["value"] == 100_000
    assert shown["hashprice_usd_per_ph_day"]["value"] == pytest.approx(
        shown["hashprice_btc_per_ph_day"]["value"] * 100_000
    )
    assert shown["hashprice_usd_per_ph_day"]["as_of_utc"] == shown["usd_per_btc"]["as_of_utc"]
    assert shown["next_difficulty_change_percent"]["note"] == "the source's estimate for 2027-01-15T08:00:00Z"


def test_the_date_of_the_next_change_may_be_in_seconds_as_its_documentation_shows(perwatt, mempool):
    page = {**MEMPOOL["/api/v1/difficulty-adjustment"], "estimatedRetargetDate": 1_800_000_000}
    mempool.pages["/api/v1/difficulty-adjustment"] = json.dumps(page).encode()
    done = perwatt("feed", "fetch", "mempool", "--url", f"{mempool.url}/api", "--json")
    assert "2027-01-15T08:00:00Z" in figures(done)["next_difficulty_change_percent"]["note"]


@pytest.mark.parametrize(
    ("path", "page", "message"),
    [
        ("/api/v1/mining/hashrate/3d", {"currentDifficulty": 3.0}, "difficulty: expected 0.000000, which its bits"),
        ("/api/v1/prices", {"time": 1, "USD": -1}, "prices: USD: expected a price above 0, got -1.0"),
        ("/api/v1/prices", {"time": 1, "USD": "nan"}, "prices: USD: expected a finite number, got 'nan'"),
        ("/api/v1/prices", {"time": 1}, "prices: expected the key USD, got none"),
        ("/api/v1/mining/reward-stats/144", {"startBlock": 0, "endBlock": 9000, "totalFee": 1}, "expected 144 blocks"),
        ("/api/v1/fees/recommended", [], "fees: expected the key fastestFee, got none"),
    ],
)
def test_a_server_whose_answers_contradict_each_other_is_refused(perwatt, mempool, path, page, message):
    mempool.pages[path] = json.dumps(page).encode()
    done = perwatt("feed", "fetch", "mempool", "--url", f"{mempool.url}/api")
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            (429, {"Retry-After": "60"}, b"{}"),
            "HTTP status 429, the source is asked too often; ask again in 60 s: '{}'",
        ),
        ((429, {"Retry-After": "Wed, 01 Dec 2027 00:00:00 GMT"}, b""), "ask again after Wed, 01 Dec 2027 00:00:00 GMT"),
        (
            (200, {}, b"<html><body>CAISO Acceptable Use Policy Violation</body></html>"),
            "asked too often: 'CAISO Acceptable Use Policy Violation'",
        ),
        ((200, {}, b'{"error":["EAPI:Rate limit exceeded"],"result":{}}'), "asked too often: "),
        ((200, {}, b'{"error":["EQuery:Unknown asset pair"]}'), "answers with an error: ['EQuery:Unknown asset pair']"),
        ((200, {}, b"<!DOCTYPE html><title>Log in</title>"), "expected data, got a page: 'Log in'"),
        ((401, {}, b"no key"), "HTTP status 401, the source refuses the key or the login: 'no key'"),
        ((502, {}, b"<html>Bad gateway</html>"), "HTTP status 502: 'Bad gateway'"),
        ((200, {}, b'{"error":[],"result":{"XXBTZUSD":[['), "got a corrupt file: Expecting value"),
        ((200, {}, b""), "expected"),
    ],
)
def test_an_answer_that_is_no_data_is_named_in_one_line(perwatt, serve, answer, message):
    server = serve(WebSource, lambda *_: answer)
    done = perwatt("feed", "fetch", "kraken", "--url", server.url)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("krakn",), "expected a known source, got 'krakn' (did you mean kraken?)"),
        (("nothing-like-it",), "expected one of bitcoind, mempool,"),
        (("kraken", "--zone", "FR"), "--zone: expected no such option with kraken, got 'FR'"),
        (("kraken", "--key-env", "X"), "--key-env: expected no such option with kraken, got 'X'"),
        (("kraken", "--user", "X"), "--user: expected no such option with kraken, got 'X'"),
        (("openrouter",), "--model: expected a value, which openrouter needs"),
        (("entsoe", "--zone", "FR"), "--key-env: expected the name of an environment variable that holds the key"),
        (
            ("energy-charts", "--first-day", "2026-02-02", "--last-day", "2026-02-01"),
            "--last-day: expected 2026-02-02 or a later day, got '2026-02-01'",
        ),
        (("kraken", "--url", f"http://me:{KEY}@127.0.0.1"), "expected an address without a user and a password"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(refused, arguments, message):
    line = refused("feed", "fetch", *arguments)
    assert message in line
    assert KEY not in line


def test_stored_answers_that_are_not_there_are_named(refused):
    assert "feeds/kraken: expected stored answers that can be read" in refused(
        "feed", "fetch", "kraken", "--stored", status=1
    )
