"""Monthly reports: which rows are refused and why, and how well the others are predicted."""

import dataclasses
import random
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hardware_profiles.errors import InputError
from sites.backtest.backtest import backtest, summarise
from sites.backtest.reports import COLUMNS, OPTIONAL, Report, bundled_reports, parse_reports, read_reports, refusal

HEADING = ",".join(COLUMNS)
ROW = "Miner,2025-07,31,,10.285,253,,,avg,{},a page"


def report(note, **given):
    base = Report(2, "Miner", "2025-07", 31, None, 10.285, 253.0, "avg", note, "")
    return dataclasses.replace(base, **given)


def test_every_bundled_row_is_accepted_or_refused_with_a_reason():
    outcomes = backtest(bundled_reports())
    assert len(outcomes) == 43
    assert all((outcome.refused is None) == (outcome.predicted_btc is not None) for outcome in outcomes)
    assert sum(outcome.refused is None for outcome in outcomes) == 26


def test_the_rows_of_2025_and_2026_are_predicted_within_a_per_cent():
    recent = summarise(backtest(bundled_reports()), recent_only=True)
    assert recent.n == 10
    assert recent.mean_abs_error_frac <= 0.010
    assert recent.mean_error_frac == pytest.approx(-0.0066, abs=5e-5)
    assert recent.sd_error_frac == pytest.approx(0.0054, abs=5e-5)


def test_january_2026_is_predicted_at_496_09():
    outcome = next(o for o in backtest(bundled_reports()) if o.report.month == "2026-01")
    assert round(outcome.predicted_btc, 2) == 496.09


@pytest.mark.parametrize(
    "note",
    [
        "avg = 253/24.6 BTC per avg EH",
        "253 BTC / 24.6 BTC/EH",
        "avg = btc/24.6",
        "24.6 BTC per EH",
        "24.6 BTC/EH x 10.285 EH",
        "253 ÷ 24.6",
        "253 BTC divided by 24.6",
        "8.16 / 0.7935 (a day)",
        "5.2% x 197.8 EH/s of network rewards",
        '10.285 = "realized"',
        "circular",
        "derived from BTC produced",
        "back-calculated by a newsletter",
        "implied by production",
    ],
)
def test_an_average_derived_from_the_bitcoin_produced_is_refused(note):
    assert refusal(report(note)).startswith("circular")


@pytest.mark.parametrize(
    "note",
    [
        "avg operating",
        "",
        "average, not circular",
        "avg operating (not derived from production)",
        "avg operating; month-end 11.1 EH/s",
        "avg operating (8.16 BTC a day)",
        "253 BTC over 31 days at an average of 10.285 EH/s",
        "218 blocks, 5.2% of network rewards",
        "avg operating (fees ~7% stated)",
    ],
)
def test_an_average_of_its_own_is_accepted(note):
    assert refusal(report(note)) is None


JANUARY = {"month": "2026-01", "deployed_ehs": 50.0, "avg_operating_ehs": 37.02, "btc_produced": 496.35}


@pytest.mark.parametrize(
    "note",
    [
        "16.01 BTC per day over 0.4325 BTC/EH/day",
        "0.4325 BTC/EH/day",
        "0.0004325 BTC/PH/day",
        "43,250 sat/PH/day",
        "496.35/31/0.4325",
        "(496.35/31)/(450)*1040",
        "496.35 / 13950 x 1040 EH/s network",
        "496.35 / 13 950 x 1.040,0 EH/s network",
        "share of blocks 496.35 of 13850 BTC times 1033 EH/s",
        "496.35 : 13.4",
        "496.35\u221513.407",
        "496.35\u204413.407",
        "496,35/13,407",
        "496.35 and 0.013407 BTC per PH",
        "496.35/13.407 (avg operating)",
        "3.5839% of 1033 EH/s, the network's",
        "backed out of production",
        "production divided by network hashprice",
        "13.407 BTC per EH gives an average hash rate of 37.02 EH/s",
        "496.35 BTC at 13.407 BTC per EH, so the average hash rate is 37.02 EH/s",
        "average hash rate 36 EH/s; 13.407 BTC per exahash",
        "average hash rate 37.02 EH/s from 13.407 BTC per EH",
        "average hash rate 37.02 EH/s; 496.35 BTC; 3.5839% of the network's 13850 BTC, 1033 EH/s",
    ],
)
def test_numbers_by_which_the_bitcoin_gives_the_average_are_found_however_they_are_put(note):
    assert refusal(report(note, **JANUARY)).startswith("circular")


@pytest.mark.parametrize(
    "note",
    [
        "74.04% of 50 EH/s, average uptime, BTC held 7474.6",
        "average operating hash rate; 13.4 BTC per EH is what that yields",
        "avg operating; 496.35 BTC produced, 550.03 sold, 7,474.6 held; 50 EH/s deployed",
        "average operating hash rate 37.02 EH/s (37,020 PH/s); 496.35 BTC, 16.01 a day",
        "avg operating, network 1,040 EH/s, 496.35 BTC, USD 84,714 a BTC",
        "average 37.02 EH/s of 50 EH/s deployed (74.04%), 496.35 BTC",
        "average hash rate computed from the production report",
        "monthly average hash rate 37.02 EH/s; 13.407 BTC per exahash",
        "hash rate averaged 37.02 EH/s, 13.407 BTC/EH, 496.35 BTC produced",
        "Average hashrate 37.02 EH/s (0.013407 BTC per PH)",
    ],
)
def test_numbers_that_do_not_lead_from_the_bitcoin_to_the_average_are_no_reason(note):
    assert refusal(report(note, **JANUARY)) is None


@given(st.floats(20, 450), st.floats(11, 19), st.floats(500, 990), st.sampled_from(["{} of {}, {}", "{} ({}; {})"]))
def test_a_share_of_the_network_by_two_numbers_is_found_for_any_numbers(btc, times, network, words):
    btc, whole, network = round(btc, 2), round(btc * times, 1), round(network, 1)
    average = round(btc / whole * network, 3)
    assume(all(abs(whole / unit / average - 1) > 0.01 for unit in (1, 1000)))  # else it is the average itself
    note = words.format(btc, whole, network)
    assert refusal(report(note, btc_produced=btc, avg_operating_ehs=average)).startswith("circular")


@given(st.text("0123456789.,/:%*x BTCEHhofd\u2215\u00a0", max_size=60))
def test_any_note_is_judged(note):
    refusal(report(note))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"hashrate_used": "month_end"}, "month-end"),
        ({"note": "energized at month end", "hashrate_used": ""}, "month-end"),
        ({"note": "month-end only"}, "month-end"),
        ({"note": "mean of the two month-end figures"}, "month-end"),
        ({"avg_operating_ehs": None, "hashrate_used": ""}, "no average hash rate"),
        ({"avg_operating_ehs": 0.0}, "no hash rate"),
        ({"hashrate_used": "capacity"}, "hash rate not stated to be"),
    ],
)
def test_month_end_and_missing_hash_rates_are_refused(given, reason):
    assert refusal(report(given.pop("note", "avg operating"), **given)).startswith(reason)


@given(st.floats(20, 3000), st.floats(1, 80), st.sampled_from(["/", " / ", " ÷ "]))
def test_a_written_quotient_that_gives_the_average_is_found_for_any_numbers(btc, divisor, sign):
    note = f"avg = {btc:.1f}{sign}{divisor:.2f}"
    average = round(float(f"{btc:.1f}") / float(f"{divisor:.2f}"), 3)
    assert refusal(report(note, btc_produced=float(f"{btc:.1f}"), avg_operating_ehs=average)).startswith("circular")


def test_a_month_reported_twice_counts_once():
    again = [report("avg operating", line=2), report("avg operating", line=3)]
    assert backtest(again)[1].refused == "the same company and month as line 2"


def test_a_month_after_the_data_and_one_before_the_first_block_are_refused():
    late, early = backtest([report("avg", month="2031-01"), report("avg", month="2008-12", line=3)])
    assert late.refused.startswith("after the difficulty data, which end 2026-06-28; `perwatt feed difficulty` gets")
    assert early.refused == "before the first block"


def test_nothing_produced_gives_no_relative_error_and_no_rows_give_no_summary():
    outcomes = backtest([report("avg", btc_produced=0.0)])
    assert outcomes[0].refused.startswith("no bitcoin produced")
    assert summarise(outcomes).mean_abs_error_frac is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a heading and rows, got an empty table"),
        (HEADING, "expected at least one row"),
        ("company,month\nx,2025-01", "line 1: key days: expected this column"),
        (HEADING + ",days\n" + ROW.format("x") + ",3", "expected each column once, got 'days' twice"),
        (HEADING + "\nMiner,2025-07", "line 2: expected 11 cells, as in the heading, got 2"),
        (HEADING + "\n" + ROW.format("x").replace("2025-07", "2025-7x"), "line 2: key month: expected YYYY-MM"),
        (HEADING + "\n" + ROW.format("x").replace(",31,", ",30,"), "key days: expected 31 for 2025-07, got '30'"),
        (HEADING + "\n" + ROW.format("x").replace("2025-07", "Jul-25"), "make the column text and write 2025-07), got"),
        (
            HEADING + "\n" + ROW.format("x").replace(",253,", ',"1,950",'),
            "(write 1950, without a separator of thousands, or 1.950 if the comma is a decimal one), got '1,950'",
        ),
        (
            HEADING + "\n" + ROW.format("x").replace(",253,", ",1'950.5,"),
            "(write 1950.5, without a separator of thousands), got",
        ),
        (HEADING.replace(",", ";") + "\n1;2", "separated by semicolons (save it as CSV with commas)"),
        (HEADING + "\n" + ROW.format("x").replace("10.285", "ten"), "avg_operating_ehs: expected a number or nothing"),
        (HEADING + "\n" + ROW.format("x").replace("10.285", "nan"), "avg_operating_ehs: expected a number or nothing"),
        (HEADING + "\n" + ROW.format("x").replace("10.285", "-1"), "a number of 1e-09 to 1,000,000 EH/s, got '-1'"),
        (HEADING + "\n" + ROW.format("x").replace(",253,", ",,"), "key btc_produced: expected a number of BTC"),
        (HEADING + "\n" + ROW.format("x").replace("Miner", ""), "key company: expected a name"),
        (HEADING + '\n"open', "expected CSV"),
        (HEADING + "\n\0", "expected CSV text, got a NUL byte"),
    ],
)
def test_a_broken_table_is_refused_in_one_line_that_names_the_place(text, message):
    with pytest.raises(InputError) as caught:
        parse_reports(text, "data.csv")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("make", ["missing", "folder", "latin", "nul"])
def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path, make):
    path = {"nul": tmp_path / "a\0b"}.get(make, tmp_path / make)
    if make == "folder":
        path.mkdir()
    if make == "latin":
        path.write_bytes("company,é".encode("latin-1"))
    with pytest.raises(InputError):
        read_reports(path)


def test_random_bytes_are_read_or_refused_but_never_crash():
    source = random.Random(7)
    good = HEADING + "\n" + "\n".join(ROW.format("avg operating") for _ in range(3))
    for _ in range(300):
        letters = list(good)
        for _ in range(source.randrange(1, 12)):
            letters[source.randrange(len(letters))] = chr(source.choice([*range(9, 127), 0x2028, 0xE9]))
        with suppress(InputError):
            backtest(parse_reports("".join(letters), "data.csv"))


def test_an_order_of_columns_of_ones_own_and_extra_ones_are_fine():
    columns = [*reversed(COLUMNS), "extra"]
    cells = dict(zip(COLUMNS, ROW.format("avg operating").split(","), strict=True)) | {"extra": "x"}
    text = ",".join(columns) + "\n" + ",".join(cells[column] for column in columns)
    assert parse_reports(text, "x")[0].btc_produced == 253.0


def test_columns_that_no_prediction_uses_may_be_missing():
    kept = [column for column in COLUMNS if column not in OPTIONAL]
    cells = dict(zip(COLUMNS, ROW.format("avg operating").split(","), strict=True))
    text = ",".join(kept) + "\n" + ",".join(cells[column] for column in kept)
    assert parse_reports(text, "x") == parse_reports(HEADING + "\n" + ROW.format("avg operating"), "x")
