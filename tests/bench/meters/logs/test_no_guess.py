"""Logs that invite a guess: a question or a gap, never a wrong figure."""

import time

import pytest
from doubles.logs.rows import WATTS, T, rows, watts

from bench.meters.logs import EmptyLogError
from hardware_profiles.errors import InputError


@pytest.mark.parametrize(
    "text",
    [
        '{"time": "2026-11-29T12:00:00Z", "power_w": 480.2}\n{"time": "2026-11-29T12:00:01Z", "power_w": 479.1}\n',
        '[{"time": "2026-11-29T12:00:00Z", "power_w": 480.2}]',
        "[\n[1795953600, 480.2]]\n",
        "<!DOCTYPE html>\n<html>\n",
    ],
)
def test_a_file_that_is_no_table_is_refused_before_the_run(read, refusal, text):
    message = refusal(text)
    assert "expected a table" in message
    with pytest.raises(InputError) as error:
        read(text)
    assert not isinstance(error.value, EmptyLogError)


def test_a_rule_below_the_header_is_no_header(read):
    log = read(rows("| {t} | {p} |", "| time | Power (W) |\n|------|:---------:|\n"))
    assert watts(log) == list(WATTS)


def test_a_header_with_more_names_than_cells_is_not_left_out(refusal):
    message = refusal(rows("{t},{p}", "time,Power, kW\n"), unit="W")
    assert "expected as many names as cells: time,Power, kW" in message


def test_an_abbreviated_zone_in_the_name_is_a_question(read, refusal):
    text = rows("2026-11-29 13:00:0{i},{p}", "Time (CET),Power (W)\n")
    assert "UTC+1" in refusal(text)
    assert watts(read(text, time="Time (CET)")) == list(WATTS)


@pytest.fixture
def clock_of_berlin(monkeypatch):
    with monkeypatch.context() as context:
        context.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("clock_of_berlin")
def test_a_zone_by_name_in_a_time_is_utc_or_refused(read, refusal):
    form = "%d.%m.%Y %H:%M:%S %Z"
    assert watts(read(rows("29.11.2026 12:00:0{i} UTC,{p}", "time,power_w\n"), time_format=form)) == list(WATTS)
    assert "UTC or GMT" in refusal(rows("29.11.2026 13:00:0{i} CET,{p}", "time,power_w\n"), time_format=form)


def test_two_devices_a_tenth_of_the_period_apart_are_refused(refusal):
    text = "time,power_w\n" + "".join(
        f"2026-11-29T12:00:0{i}.{k}00Z,{150 + 250 * k}\n" for i in range(9) for k in (0, 1)
    )
    assert "several devices" in refusal(text)


@pytest.mark.parametrize("column", ["time", "time+power_w", "power_w+power_w"])
def test_a_column_is_read_once_and_is_not_that_of_times(refusal, column):
    assert "each once and none of times" in refusal(rows("{t},{p}", "time,power_w\n"), column=column)


def of_parts(*names):
    return "time,part,power_w\n" + "".join(f"{T.format(i)},{name},100\n" for i in range(5) for name in names)


def test_a_sum_is_over_a_column_of_devices(refusal):
    assert "names the device" in refusal(of_parts("x", "y"), sum="power_w")


@pytest.mark.parametrize("total", ["total", "Sum", "-", "all GPUs"])
def test_a_total_is_not_added_to_its_parts(refusal, total):
    assert "without their total" in refusal(of_parts("x", "y", total), sum="part")


def test_phases_a_b_c_are_added(read):
    assert watts(read(of_parts("A", "B", "C"), sum="part")) == [300.0] * 5


def test_amps_by_their_letter_are_not_added_to_watts(refusal):
    assert "rows of power alone" in refusal(of_parts("W", "A"), sum="part")


@pytest.mark.parametrize("fill", ["9.9e37", "9.91E+37", "9999999", "99999"])
def test_a_pattern_for_no_reading_is_missing(read, fill):
    text = rows("{t},{p}", "time,power_w\n") + f"2026-11-29T12:00:09Z,{fill}\n"
    assert watts(read(text)) == [*WATTS, None]


def test_one_reading_of_gigawatts_is_unreadable(read):
    text = "time,power_w\n" + "".join(f"2026-11-29T12:{i // 60:02}:{i % 60:02}Z,48{i % 9}.5\n" for i in range(99))
    log = read(text + "2026-11-29T12:02:00Z,3.1e12\n")
    assert log.malformed == (101,)
    assert max(watts(log)) < 500.0


def test_lines_that_all_look_like_a_header_are_no_empty_log(refusal, read):
    text = rows("time={t} power={p}W")
    refusal(text)
    with pytest.raises(InputError) as error:
        read(text)
    assert not isinstance(error.value, EmptyLogError)
