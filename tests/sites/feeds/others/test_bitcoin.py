"""Bitcoin's price over time: candles count with their close, unfinished ones are left out, quotes hold for a day."""

import json
import math

import pytest
from doubles.feeds import truth
from doubles.feeds.others import bitcoin
from doubles.feeds.reading import read_text

from hardware_profiles.errors import InputError

DAY_S = bitcoin.DAY_S
DAYS = range(*truth.year("UTC"), DAY_S)
CLOSES = [(day_s, day_s + DAY_S, bitcoin.price(day_s + DAY_S)) for day_s in DAYS]
QUOTES = [(day_s, day_s + DAY_S, bitcoin.price(day_s)) for day_s in DAYS]


def refusal(folder, text, choices=None):
    with pytest.raises(InputError) as caught:
        read_text(folder, text if isinstance(text, (str, bytes)) else json.dumps(text), choices)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/file.csv: ")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("coingecko", bitcoin.coingecko(DAYS), QUOTES),
        ("coinmarketcap-chart", bitcoin.coinmarketcap_chart(DAYS), QUOTES),
        ("coinmarketcap", bitcoin.coinmarketcap(DAYS), CLOSES),
        ("kraken", bitcoin.kraken(DAYS), CLOSES[:-1]),  # the last candle is unfinished
        ("coinbase", bitcoin.coinbase(DAYS), CLOSES),
    ],
)
def test_a_year_of_days_is_the_truth(tmp_path, name, text, expected):
    feed = read_text(tmp_path, text)
    intervals = feed.intervals
    assert (feed.layout.name, feed.layout.quantity, feed.unit) == (name, "btc_price", "USD/BTC")
    assert list(zip(intervals.start_s, intervals.end_s, intervals.values, strict=True)) == expected
    assert intervals.missing == 0


@pytest.mark.parametrize("write", [bitcoin.kraken, bitcoin.coinbase])
def test_candles_of_a_week_have_the_length_of_their_distance(tmp_path, write):
    week_s = 7 * DAY_S
    feed = read_text(tmp_path, write(DAYS[::7], week_s))
    assert set(feed.intervals.resolutions) == {week_s}
    assert feed.intervals.values[0] == bitcoin.price(DAYS[0] + week_s)


def test_a_price_quoted_within_a_day_holds_to_its_end(tmp_path):
    times = [DAYS[0], DAYS[0] + 36_000, DAYS[1]]
    intervals = read_text(tmp_path, bitcoin.coingecko(times)).intervals
    assert intervals.end_s.tolist() == [DAYS[0] + 36_000, DAYS[1], DAYS[2]]


def test_a_day_without_a_quote_is_missing(tmp_path):
    intervals = read_text(tmp_path, bitcoin.coingecko([*DAYS[:5], *DAYS[7:9]], missing={DAYS[1]})).intervals
    assert math.isnan(intervals.values[1])
    assert intervals.missing == 3


def test_a_day_without_trades_leaves_a_gap_among_candles(tmp_path):
    assert read_text(tmp_path, bitcoin.coinbase([*DAYS[:5], *DAYS[7:9]])).intervals.missing == 2


def test_several_pairs_are_refused_until_one_is_chosen(tmp_path):
    answer = json.loads(bitcoin.kraken(DAYS[:4]))
    answer["result"]["XXBTZEUR"] = answer["result"]["XXBTZUSD"]
    assert refusal(tmp_path, answer) == "expected one pair, got 2: XXBTZUSD, XXBTZEUR (choose with pair=NAME)"
    assert read_text(tmp_path, json.dumps(answer), {"pair": "XXBTZEUR"}).unit == "EUR/BTC"


@pytest.mark.parametrize("pair", ["XBTUSD", "XBT/USD", "BTC/USD"])
def test_the_short_names_of_a_pair_are_known(tmp_path, pair):
    assert read_text(tmp_path, bitcoin.kraken(DAYS[:4]).replace(b"XXBTZUSD", pair.encode())).unit == "USD/BTC"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"error": ["EGeneral:Too many requests"]}, "error: expected no error, got ['EGeneral:Too many requests']"),
        ({"result": {"XETHZUSD": [[1]], "last": 1}}, "result: expected a pair of Bitcoin, such as XXBTZUSD, got "),
        ({"result": {"XXBTZUSD": [[1]], "last": 1}}, "XXBTZUSD[0]: expected 8 values, got [1]"),
        ({"result": {"XXBTZUSD": [], "last": 1}}, "XXBTZUSD: expected a list of candles, got []"),
        ({"result": {"XXBTZUSD": [[1]]}}, "last: expected the time of the last finished candle, got None"),
        (
            {"result": {"XXBTZUSD": [[1.7e9] * 8], "last": 1}},
            "XXBTZUSD: expected at least two candles, whose distance is ",
        ),
        ({"result": {"XXBTZUSD": [[1.5] * 8], "last": 1}}, "XXBTZUSD[0][0]: expected whole seconds since 1970"),
        ({"result": {"XXBTZUSD": [[1.7e12] * 8], "last": 1}}, "XXBTZUSD[0][0]: expected whole seconds since 1970 in"),
        ({"result": {"XXBTZUSD": [[None] * 8], "last": 1}}, "XXBTZUSD[0][0]: expected whole seconds since 1970"),
    ],
)
def test_a_faulty_answer_of_kraken_is_one_line(tmp_path, change, message):
    assert refusal(tmp_path, json.loads(bitcoin.kraken(DAYS[:4])) | change).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ([[1.7e9, 2, 3, 4, 5, 6], [1, 2]], "candles[1]: expected 6 values, got [1, 2]"),
        (bitcoin.coingecko(DAYS[:3]).replace(b" UTC", b""), "line 2: snapped_at: expected YYYY-MM-DD HH:MM:SS UTC"),
        (bitcoin.coingecko(DAYS[:3][::-1]), "line 3: snapped_at: expected times that go forward, got "),
        (bitcoin.coinmarketcap(DAYS[:1]).replace(b"23:59:59.999", b"00:00:00.000"), "line 2: timeClose: expected a "),
        (
            bitcoin.coinmarketcap(DAYS[:3]).replace(b";", b","),
            "expected the columns of coinmarketcap separated by a semicolon, as downloaded, got",
        ),
    ],
)
def test_other_faulty_files_are_one_line(tmp_path, text, message):
    assert refusal(tmp_path, text).startswith(message)
