"""`perwatt feed fetch` of prices and rents: the stored answer is a market file, read by the reader of its layout."""

import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from doubles.feeds import truth
from doubles.feeds.europe import entsoe_xml
from doubles.feeds.others import bitcoin
from doubles.feeds.web import WebSource

from sites.feeds.read import read_feed

DAY_S = 86_400
KEY = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def today_s():
    return int(time.time()) // DAY_S * DAY_S


def shown(done):
    document = json.loads(done.stdout)
    return {figure["name"]: figure for figure in document["figures"]}, document["files"]


def pages(content, status=200):
    return lambda *_: (status, {}, content)


def market_chart(times_s):
    prices = [[1000 * time_s, bitcoin.price(time_s)] for time_s in times_s]
    return json.dumps({"prices": prices, "market_caps": prices, "total_volumes": prices}).encode()


@pytest.mark.parametrize(
    ("source", "make", "layout"),
    [
        ("kraken", bitcoin.kraken, "kraken"),
        ("coinbase", bitcoin.coinbase, "coinbase"),
        ("coingecko", market_chart, "coingecko-api"),
    ],
)
def test_a_price_of_bitcoin_is_that_of_the_reader_of_the_stored_file(  # noqa: PLR0917
    perwatt, serve, today_s, tmp_path, source, make, layout
):
    days_s = range(today_s - 9 * DAY_S, today_s + 1, DAY_S)
    server = serve(WebSource, pages(make(days_s)))
    done = perwatt("feed", "fetch", source, "--url", server.url, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    figures, files = shown(done)
    feed = read_feed(tmp_path / files["series"])
    assert (feed.layout.name, feed.unit) == (layout, "USD/BTC")
    assert figures["latest_usd_per_btc"]["value"] == feed.intervals.values[-1]
    assert figures["mean_usd_per_btc"]["value"] == feed.intervals.statistics().mean
    assert (tmp_path / files["series"]).read_bytes() == make(days_s)


def test_candles_that_ended_days_ago_are_stale(perwatt, serve, today_s):
    server = serve(WebSource, pages(bitcoin.kraken(range(today_s - 9 * DAY_S, today_s - 3 * DAY_S, DAY_S))))
    done = perwatt("feed", "fetch", "kraken", "--url", server.url)
    assert done.returncode == 1
    assert "kraken: expected data of at most 36 h, got data of" in done.stderr


def test_energy_charts_is_asked_for_the_zone_and_the_days_and_read_by_its_layout(perwatt, serve, tmp_path):
    steps = list(truth.steps(truth.time_s("Europe/Berlin", 2025, 9, 30), truth.time_s("Europe/Berlin", 2025, 10, 3)))
    answer = {
        "license_info": "invented",
        "unix_seconds": [step.start_s for step in steps],
        "price": [step.price for step in steps],
        "unit": "EUR / MWh",
        "deprecated": False,
    }
    server = serve(WebSource, pages(json.dumps(answer).encode()))
    words = ("--zone", "FR", "--first-day", "2025-09-30", "--last-day", "2025-10-02")
    done = perwatt("feed", "fetch", "energy-charts", "--url", server.url, *words, "--json")
    assert server.paths == ["/price?bzn=FR&start=2025-09-30&end=2025-10-02"]
    figures, files = shown(done)
    feed = read_feed(tmp_path / files["series"])
    assert list(feed.intervals.values) == [step.price for step in steps]
    assert list(feed.intervals.end_s) == [step.end_s for step in steps]
    assert "72 intervals from 2025-09-29T22:00Z to 2025-10-02T22:00Z, 0 missing" in figures["mean_eur_per_mwh"]["note"]
    assert done.returncode == 1  # the last of them has ended long ago
    assert "feeds/energy-charts/fr-2025-09-30-2025-10-02/" in files["series"]


@pytest.fixture
def entsoe(serve):
    steps = list(truth.steps(truth.time_s("Europe/Paris", 2026, 3, 28), truth.time_s("Europe/Paris", 2026, 3, 30)))
    return serve(WebSource, pages(entsoe_xml.prices((entsoe_xml.FRANCE, None, steps))))


ENTSOE = ("--zone", "FR", "--first-day", "2026-03-28", "--last-day", "2026-03-29")


def test_entsoe_is_asked_with_the_key_of_the_environment_which_is_nowhere_else(perwatt, entsoe, tmp_path):
    words = ("feed", "fetch", "entsoe", "--url", entsoe.url, *ENTSOE, "--json")
    done = perwatt(*words, env={"ENTSOE_API_KEY": KEY})
    figures, files = shown(done)
    query = parse_qs(urlsplit(entsoe.paths[0]).query)
    assert query["securityToken"] == [KEY]
    assert query["in_Domain"] == query["out_Domain"] == [entsoe_xml.FRANCE]
    assert (query["periodStart"], query["periodEnd"]) == (["202603272300"], ["202603292200"])
    assert "47 intervals" in figures["mean_eur_per_mwh"]["note"]  # the day of the clock change has 23 hours
    stored = "".join(path.read_text("utf-8") + str(path) for path in (tmp_path / "feeds").rglob("*.*"))
    assert KEY not in stored + done.stdout + done.stderr
    assert files["series"].endswith(".xml")


@pytest.mark.parametrize(
    ("status", "content", "message"),
    [
        (200, entsoe_xml.acknowledgement("No matching data"), "the source has no such data: 'No matching data'"),
        (401, f"<title>Unauthorized: {KEY}</title>".encode(), "refuses the key or the login: 'Unauthorized: ***'"),
        (429, b"<h1>Max allowed requests per minute from each unique IP is 400</h1>", "asked too often: 'Max allowed"),
        (200, f"<a>{KEY}</a>".encode(), "the answer repeats the key, so it is not stored"),
    ],
)
def test_a_refusal_of_entsoe_is_named_in_one_line_without_the_key(perwatt, serve, tmp_path, status, content, message):  # noqa: PLR0917
    server = serve(WebSource, pages(content, status))
    done = perwatt("feed", "fetch", "entsoe", "--url", server.url, *ENTSOE, env={"ENTSOE_API_KEY": KEY})
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    stored = [path.read_text("utf-8") for path in (tmp_path / "feeds").rglob("*.xml")]
    assert KEY not in done.stderr + "".join(stored)


def test_the_stored_answer_is_a_market_file_like_any_other(perwatt, entsoe, tmp_path):
    words = ("feed", "fetch", "entsoe", "--url", entsoe.url, *ENTSOE, "--json")
    figures, files = shown(perwatt(*words, env={"ENTSOE_API_KEY": KEY}))
    read = json.loads(perwatt("feed", "read", tmp_path / files["series"], "--json").stdout)
    assert read["statistics"]["mean"] == figures["mean_eur_per_mwh"]["value"]
    assert read["feed"] == "entsoe-api"


def test_another_zone_is_no_replacement_for_the_one_that_fails(perwatt, entsoe):
    words = ("feed", "fetch", "entsoe", "--url", entsoe.url)
    perwatt(*words, *ENTSOE, env={"ENTSOE_API_KEY": KEY})
    entsoe.close()
    other = ("--zone", "AT", *ENTSOE[2:])
    assert "has no earlier answers" in perwatt(*words, *other, env={"ENTSOE_API_KEY": KEY}).stderr
    assert "Last good answers" in perwatt(*words, *ENTSOE, env={"ENTSOE_API_KEY": KEY}).stdout


def test_openrouter_states_usd_per_token_as_text_and_is_shown_per_million(perwatt, serve):
    models = [
        {"id": "a/b", "pricing": {"prompt": "0.0000003", "completion": "0.0000012"}},
        {"id": "auto", "pricing": {"prompt": "-1", "completion": "-1"}},
    ]
    server = serve(WebSource, pages(json.dumps({"data": models}).encode()))
    done = perwatt("feed", "fetch", "openrouter", "--url", server.url, "--model", "a/b", "--json")
    assert (done.returncode, server.paths) == (0, ["/models"])
    figures, _ = shown(done)
    assert figures["input_usd_per_mtok"]["value"] == pytest.approx(0.3)
    assert figures["output_usd_per_mtok"]["value"] == pytest.approx(1.2)
    unknown = perwatt("feed", "fetch", "openrouter", "--url", server.url, "--model", "a/c")
    assert "expected the model a/c, got 2 others: 'a/b'" in unknown.stderr
    varies = perwatt("feed", "fetch", "openrouter", "--url", server.url, "--model", "auto")
    assert "auto: pricing.prompt: expected a price, got -1 (it varies)" in varies.stderr


def test_vast_is_asked_for_a_gpu_and_its_rents_are_per_gpu(perwatt, serve):
    offers = [
        {"gpu_name": "H100 SXM", "num_gpus": 8, "dph_total": 16.0},
        {"gpu_name": "H100 SXM", "num_gpus": 1, "dph_total": 2.5},
        {"gpu_name": "H100 SXM", "num_gpus": 2, "dph_total": 8.0},
        {"gpu_name": "RTX 4090", "num_gpus": 1, "dph_total": 0.3},
    ]
    server = serve(WebSource, pages(json.dumps({"offers": offers}).encode()))
    words = ("feed", "fetch", "vast", "--url", server.url, "--gpu", "H100 SXM", "--json")
    done = perwatt(*words, "--key-env", "MY_KEY", env={"MY_KEY": KEY})
    figures, _ = shown(done)
    assert figures["median_usd_per_gpu_hour"]["value"] == 2.5
    assert figures["lowest_usd_per_gpu_hour"]["value"] == 2.0
    assert figures["offers"]["value"] == 3
    ((_, path, headers, _),) = server.requests
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert json.loads(parse_qs(urlsplit(path).query)["q"][0])["gpu_name"] == {"eq": "H100 SXM"}
    assert KEY not in done.stdout + done.stderr
