"""Tables that read a counter, digits that the device states, and rows that are never added."""

import pytest
from doubles.meters.device import KWH

from bench.meters.errors import MeterError
from hardware_profiles.errors import InputError

COUNTER = """
title = "a counter of 100 kWh"
transport = "modbus"
boundary = "wall"
scope = "the shelf"
reads = "energy"
most_power_w = 20000.0
period = {{ s = 1.0, source = "assumed" }}

[points]
energy = {{ quantity = "energy", unit = "Wh", at = {{ function = 3, register = 0, type = "{type}" }}{wraps} }}

[sources.manual]
title = "the register list"
address = "https://example.org"
read = "2026-11-30"
states = "Wh"
"""


@pytest.fixture
def counter(tmp_path, peer, meter):
    """Return the peer and the meter of a table that reads a counter."""

    def start(wraps_at=None, start_j=5000.0 * KWH, power_w=lambda _t: 4000.0, type_="float64"):
        path = tmp_path / "counter.toml"
        path.write_text(COUNTER.format(type=type_, wraps="" if wraps_at is None else f", wraps_at = {wraps_at}"))
        one = peer(str(path), power_w)
        one.device._energy_j, one.device.wraps_at_j = start_j, None if wraps_at is None else wraps_at * 3600.0
        return one, meter(one)

    return start


def window(clock, opened, seconds=120.0, change=None):
    """Return the energy of a window in whose middle something changes."""
    clock.sleep(3.0)
    start = clock.monotonic()
    clock.sleep(seconds / 2.0)
    if change is not None:
        change()
    clock.sleep(seconds / 2.0)
    return opened.energy(start, start + seconds)


def test_a_counter_gives_its_joules(clock, counter):
    _, opened = counter(power_w=lambda t: 4000.0 + 100.0 * (t % 7.0))
    energy = window(clock, opened)
    assert energy.reasons == ()
    assert energy.joules == pytest.approx(120.0 * 4350.0, rel=0.01)
    assert (opened.info.kind, opened.info.unit) == ("counter", "Wh")


def test_a_counter_that_begins_anew_where_the_table_says_is_unwrapped(clock, counter):
    _, opened = counter(wraps_at=10000.0, start_j=9950.0 * 3600.0)  # 4 kW use up 50 Wh in 45 s
    energy = window(clock, opened)
    assert energy.reasons == ()
    assert "counter_wrapped" in energy.warnings
    assert energy.joules == pytest.approx(120.0 * 4000.0, rel=0.01)


def test_a_wrap_that_no_table_names_gives_no_joules(clock, counter):
    one, opened = counter(start_j=9950.0 * 3600.0)
    one.device.wraps_at_j = 10000.0 * 3600.0
    energy = window(clock, opened)
    assert (energy.joules, "counter_went_back" in energy.reasons) == (None, True)


@pytest.mark.parametrize(("mode", "code"), [("reset", "counter_went_back"), ("jump", "counter_jumped")])
@pytest.mark.parametrize("wraps_at", [None, 1e7])
def test_a_counter_that_is_reset_or_jumps_gives_no_joules(clock, counter, mode, code, wraps_at):
    one, opened = counter(wraps_at=wraps_at)

    def change():
        one.device.mode = mode

    energy = window(clock, opened, change=change)
    assert (energy.joules, code in energy.reasons) == (None, True)


def test_a_counter_that_stands_still_gives_no_joules(clock, counter):
    one, opened = counter()

    def change():
        one.device.mode = "frozen"

    energy = window(clock, opened, change=change)
    assert (energy.joules, "counter_stalled" in energy.reasons) == (None, True)


@pytest.mark.parametrize("digits", [0, 1, 3])
def test_the_device_states_its_digits(peer, meter, digits):
    one = peer("raritan-px2-outlet", lambda _t: 431.7)
    one.digits = digits
    assert meter(one).readings()[0].value == pytest.approx(431.7, abs=0.51 / 10.0**digits)


@pytest.mark.parametrize("digits", [10, 200, "three"])
def test_an_invalid_number_of_digits_is_refused(peer, meter, digits):
    one = peer("raritan-px2-outlet")
    one.digits = digits
    with pytest.raises((InputError, MeterError), match="expected the number of decimal digits, 0 to 9"):
        meter(one)


def test_a_device_that_states_no_digits_is_refused(peer, meter):
    one = peer("raritan-px2-outlet")
    one.digits = -1
    with pytest.raises(InputError, match="the point power: the device states no digits for it; check the table"):
        meter(one)


def test_rows_of_a_partitioned_gpu_are_never_added(peer, meter):
    one = peer("dcgm", lambda _t: 412.0)
    one.repeats = [{"GPU_I_ID": "7"}, {"GPU_I_ID": "8"}]
    with pytest.raises(
        InputError, match=r"expected one series .*, got 2 \(.GPU_I_ID=7; GPU_I_ID=8.\); name one by its"
    ):
        meter(one)
    assert meter(one, ",gpu_instance=8").readings()[0].value == 412.0


def test_a_row_that_appears_in_the_middle_of_a_run_is_no_power(clock, peer, meter):
    one = peer("dcgm", lambda t: 400.0 + t % 5.0)
    opened = meter(one)

    def change():
        one.repeats = [{"GPU_I_ID": "7"}, {"GPU_I_ID": "8"}]

    energy = window(clock, opened, change=change)
    assert energy.joules is None
    assert "expected one series" in opened.last_error
    assert max(reading.value for reading in opened.readings() if reading.value is not None) < 410.0
