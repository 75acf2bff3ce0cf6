"""An answer that no meter would send is one line, never an error of the program."""

import threading

import pytest

from bench.meters.errors import MeterError
from bench.meters.plausible import NOTHING, fault_of_power
from bench.meters.registry import make_meter
from hardware_profiles.errors import InputError

DIGITS = int("1" * 400)  # too large for a float, and valid JSON


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ([1], "an answer without them"),
        ("x", "an answer without them"),
        (None, "an answer without them"),
        ({"power_mw": DIGITS}, "expected a number, got no value"),
        ({"power_mw": True}, "expected a number, got no value"),
    ],
)
def test_a_plug_of_kasa_that_sends_no_figures_is_no_reading(peer, meter, figures, words):
    one = peer("kasa")
    one._meter = lambda: figures
    with pytest.raises((MeterError, InputError), match=words):
        meter(one)


def test_a_number_of_hundreds_of_digits_is_no_reading(peer, meter):
    one = peer("redfish-power")
    one._value = lambda _point: DIGITS
    with pytest.raises(InputError, match="the point power: expected a number"):
        meter(one)


def test_a_daemon_that_breaks_off_within_its_samples_is_a_gap(clock, peer, meter):
    one = peer("ptdaemon")
    opened = meter(one)
    whole = one.reply

    def half(line):
        if not line.startswith("RL"):
            return whole(line)
        threading.Timer(0.05, one.break_off).start()
        return "Last 1 samples"

    one.reply = half
    clock.sleep(2.0)
    one.reply = whole
    clock.sleep(5.0)
    values = [reading.value for reading in opened.readings()]
    assert None in values
    assert values[-1] is not None


def test_the_device_number_of_a_bus_has_plain_digits():
    with pytest.raises(InputError, match="expected a number from 0 to 247"):
        make_meter("modbus:10.0.0.9,table=eastron-sdm630,device_id=²")


def test_a_failed_request_of_modbus_writes_nothing_but_the_error(peer, perwatt):
    one = peer("eastron-sdm630")
    one.close()
    done = perwatt("meter", "check", f"modbus:{one.target},table=eastron-sdm630")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_a_range_that_the_daemon_refuses_ends_the_opening(peer, meter):
    one = peer("ptdaemon")
    whole = one.reply
    one.reply = lambda line: "Error: no such range" if line.startswith("SR,V,9999") else whole(line)
    with pytest.raises(MeterError, match=r"expected the range 9999 of V to be set, got '?Error: no such range"):
        meter(one, ",volts_range=9999")


def test_an_exporter_that_lacks_a_check_is_read_and_one_that_lacks_the_power_is_not(clock, peer, meter):
    one = peer("dcgm")
    one.points = [point for point in one.points if point.quantity == "power"]
    opened = meter(one)
    clock.sleep(3.0)
    assert all(reading.value > 3000.0 for reading in opened.readings())
    other = peer("dcgm")
    other.points = [point for point in other.points if point.quantity == "energy"]
    with pytest.raises(InputError, match="the point power: expected a number, got no value"):
        meter(other)


def test_an_outlet_that_a_pdu_lacks_is_named_as_such(peer, meter):
    one = peer("raritan-px2-outlet")
    one.points = []
    with pytest.raises(InputError, match="the point power: the device states no digits for it; check the table"):
        meter(one)


def test_a_sensor_of_another_quantity_is_refused(peer, meter):
    one = peer("redfish-sensor")
    watts = one.body
    one.body = lambda path: (watts(path) or "").replace('"W"', '"Cel"') or None
    with pytest.raises(InputError, match=r"expected W, got '?Cel'?: no power is measured there"):
        meter(one)


@pytest.mark.parametrize("watts", [1.166e9, -8.645e11, 5e-40, -3e-39])
def test_a_register_that_was_read_as_another_type_is_no_reading(watts):
    assert "the type and the order of words" in fault_of_power(watts, NOTHING)


@pytest.mark.parametrize("watts", [0.0, 1e-6, 2e-3, 9e8])
def test_the_smallest_and_the_largest_powers_are_readings(watts):
    assert not fault_of_power(watts, NOTHING)


def test_a_setting_that_a_table_needs_is_not_empty():
    with pytest.raises(InputError, match=r"key device: expected .*, got nothing"):
        make_meter("mqtt:10.0.0.2,table=shelly-mqtt,device=")
