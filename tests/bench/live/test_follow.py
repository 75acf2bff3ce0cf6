"""The log is followed by bytes: whole rows alone, the newest of many, another log from its start."""

import json

import pytest
from doubles.live_page import Log, row

from bench.live import follow
from bench.live.figures import MOST_UNITS, cycle
from bench.live.follow import Follower


def test_a_row_that_is_half_written_counts_once_it_is_whole(log):
    follower = Follower(log.path)
    assert not follower.look(), "no log yet"
    text = json.dumps(row()).encode() + b"\n"
    log.path.write_bytes(text[:50])
    assert not follower.look()
    log.path.write_bytes(text)
    assert follower.look()
    assert [each.figures["plan_mw"] for each in follower.shown] == [12.5]
    assert not follower.look(), "nothing new"


def test_rows_of_other_kinds_and_damaged_ones_are_passed_over(log):
    log.add({"kind": "command", "at_s": 1.0}, b"{ not json", row(1), b"[1, 2]", row(2, at_s="now"), b"\xff\xfe")
    follower = Follower(log.path)
    assert follower.look()
    assert [each.figures["plan_mw"] for each in follower.shown] == [13.5]


def test_the_first_look_at_a_long_log_reads_its_end_alone(log, monkeypatch):
    log.add(*(row(tick) for tick in range(400)))
    monkeypatch.setattr(follow, "MOST_BYTES", 40_000)
    follower = Follower(log.path)
    assert follower.look()
    plans = [each.figures["plan_mw"] for each in follower.shown]
    assert plans == [12.5 + tick for tick in range(400 - len(plans), 400)]
    assert 10 < len(plans) < 100


def test_of_a_log_that_outruns_the_page_the_newest_rows_are_shown(log):
    log.add(row(0))
    follower = Follower(log.path)
    follower.look()
    log.add(*(row(tick) for tick in range(1, 101)))
    assert follower.look()
    assert [each.figures["plan_mw"] for each in follower.shown] == [12.5, *(12.5 + tick for tick in range(81, 101))]
    assert follower.number == 21


def test_another_log_at_the_same_path_begins_anew(log):
    log.add(row(0), row(1))
    follower = Follower(log.path)
    follower.look()
    before = follower.log
    log.path.unlink()
    log.add(row(5, site="South field"))
    assert follower.look()
    assert [each.figures["site"] for each in follower.shown] == ["South field"]
    assert follower.log != before


def test_a_log_that_was_cut_is_read_from_its_start(log):
    log.add(row(0), row(1), row(2))
    follower = Follower(log.path)
    follower.look()
    first = log.path.read_bytes().partition(b"\n")[0]
    log.path.write_bytes(first + b"\n")
    assert follower.look()
    assert [each.figures["plan_mw"] for each in follower.shown] == [12.5]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_the_folder_of_a_site_leads_to_the_log_in_use(tmp_path, kind):
    for mode in ("shadow", "armed"):
        (tmp_path / mode).mkdir()
        Log(tmp_path / mode / "audit.jsonl").add(row(mode=mode))
    follower = Follower(tmp_path)
    for mode in ("shadow", "armed"):
        current = tmp_path / "current"
        current.unlink(missing_ok=True)
        current.symlink_to(mode) if kind == "link" else current.write_text(f"{mode}\n")
        assert follower.look()
        assert [each.figures["mode"] for each in follower.shown] == [mode]


def test_a_figure_that_is_absent_or_no_number_is_none_and_never_zero():
    figures = cycle(json.dumps({"kind": "cycle", "at_s": 1, "plan_mw": "3", "meter_mw": True, "money": 5}).encode())
    assert [figures[name] for name in ("plan_mw", "meter_mw", "devices_mw", "earned_usd")] == [None] * 4
    assert figures["states"]["off"] is None
    assert cycle(b'{"kind": "cycle", "at_s": 1, "plan_mw": NaN}')["plan_mw"] is None


def test_what_does_not_say_that_it_is_real_counts_as_simulated():
    for value, simulated in ((False, False), (True, True), (None, True), ("no", True)):
        assert cycle(json.dumps(row(simulated=value)).encode())["simulated"] is simulated


def test_of_ten_thousand_units_that_are_not_as_intended_a_hundred_are_sent_with_the_number_of_all():
    units = [{"unit": f"m{at}", "reason": "x" * 5000} for at in range(10_000)]
    figures = cycle(json.dumps(row(not_as_intended=units)).encode())
    assert (len(figures["units"]), figures["units_count"]) == (MOST_UNITS, 10_000)
    assert len(json.dumps(figures)) < 60_000
