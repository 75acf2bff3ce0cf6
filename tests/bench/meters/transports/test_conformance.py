"""One suite for every transport and every table, each against a peer that speaks the real protocol on loopback.

The peers are libraries and programs of others where there are any (pymodbus, pysnmp, amqtt, python-kasa's protocol from
its documentation); the devices behind them are doubles of these tests.
"""

import importlib
import math

import pytest

from bench.meters.errors import MeterError
from bench.meters.points import table
from bench.meters.points.meter import _figure
from bench.meters.registry import open_meters
from bench.network.errors import ReadFailedError
from hardware_profiles.errors import InputError

ATTRIBUTIONS = [name for name in table.names() if table.bundled(name).attribution]
TABLES = [name for name in table.names() if name not in ATTRIBUTIONS]
WINDOW_PERIODS = 110
ONE_EACH = list({table.bundled(name).transport: name for name in TABLES}.values())  # a table of each transport
CHECKED = [
    name for name in TABLES
    if {"volts", "amps"} <= {point.quantity for point in table.bundled(name).points.values()}
]  # fmt: skip


def run(clock, meter, change=None):
    """Return the energy of one window, in whose middle something changes, and the ends of the window."""
    clock.sleep(3.0 * meter.info.poll_s)
    t0, window_s = clock.monotonic(), WINDOW_PERIODS * meter.info.poll_s
    clock.sleep(window_s / 2.0)
    if change is not None:
        change()
    clock.sleep(window_s / 2.0)
    return meter.energy(t0, t0 + window_s), t0, t0 + window_s


def turning(peer, mode):
    """Return what makes the device misbehave."""

    def change():
        peer.device.mode = mode

    return change


def true_j(t0, t1):
    """Return the energy of `moving` [J]."""
    return 4000.0 * (t1 - t0) - 2700.0 * (math.cos(t1 / 3.0) - math.cos(t0 / 3.0))


@pytest.mark.parametrize("name", TABLES)
def test_a_moving_load_gives_its_joules(clock, peer, meter, name):
    energy, t0, t1 = run(clock, meter(peer(name)))
    assert energy.reasons == ()
    assert energy.joules == pytest.approx(true_j(t0, t1), rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_EACH)
def test_a_frozen_meter_gives_none(clock, peer, meter, name):
    one = peer(name)
    energy, _, _ = run(clock, meter(one), turning(one, "frozen"))
    assert energy.joules is None
    assert "samples_stale" in energy.reasons


@pytest.mark.parametrize("name", ONE_EACH)
def test_a_meter_that_refuses_to_answer_gives_none(clock, peer, meter, name):
    one = peer(name)
    opened = meter(one)
    energy, _, _ = run(clock, opened, turning(one, "refusing"))
    assert energy.joules is None
    assert "sample_gap" in energy.reasons or "meter_lost" in energy.reasons
    assert opened.last_error


@pytest.mark.parametrize("name", ONE_EACH)
def test_a_meter_that_dies_gives_none(clock, peer, meter, name):
    one = peer(name)
    opened = meter(one)
    if table.bundled(name).transport == "snmp":  # a datagram to nobody comes back only as silence
        opened._transport._agent[2].timeout, opened._transport._agent[2].retries = 0.05, 0
    energy, _, _ = run(clock, opened, one.close)
    assert energy.joules is None


@pytest.mark.parametrize("name", ONE_EACH)
def test_the_pattern_of_no_value_is_never_a_power(clock, peer, meter, name):
    one = peer(name)
    opened = meter(one)
    energy, _, _ = run(clock, opened, turning(one, "sentinel"))
    assert energy.joules is None
    assert max(reading.value for reading in opened.readings() if reading.value is not None) < 6000.0


@pytest.mark.parametrize("name", TABLES)
def test_a_meter_that_starts_without_a_value_is_refused(peer, meter, name):
    one = peer(name)
    one.device.mode = "sentinel"
    if hasattr(one, "update"):
        one.update()
    with pytest.raises((InputError, MeterError)) as error:
        meter(one)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", CHECKED)
def test_ten_times_the_power_is_refused_by_its_factor(peer, meter, name):
    one = peer(name)
    one.device.mode = "decade"
    # Volts and amps alone leave the power factor open, so that the factor is about ten.
    with pytest.raises(InputError, match=r"too large by a factor of (about )?10"):
        meter(one)


@pytest.mark.parametrize("name", CHECKED)
def test_zero_watts_are_denied_by_the_amps(peer, meter, name):
    one = peer(name)
    one.device.mode = "zero"
    with pytest.raises(InputError, match="the amps deny the zero"):
        meter(one)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in TABLES if name not in CHECKED])
def test_zero_watts_that_nothing_confirms_are_marked(clock, peer, meter, name):
    one = peer(name)
    energy, _, _ = run(clock, meter(one), turning(one, "zero"))
    assert energy.joules is None or "zero_unconfirmed" in energy.warnings


@pytest.mark.usefixtures("deadlines")
@pytest.mark.parametrize("name", [name for name in ONE_EACH if table.bundled(name).transport != "mqtt"])
def test_a_late_answer_is_given_up(peer, meter, name, monkeypatch):
    one = peer(name)
    module = importlib.import_module(f"bench.meters.transports.{table.bundled(name).transport}")
    monkeypatch.setattr(module, "TIMEOUT_S", 1)
    one.device.mode = "silent"
    if hasattr(one, "update"):
        one.update()
    with pytest.raises(MeterError):
        meter(one)


@pytest.mark.parametrize("name", ATTRIBUTIONS)
def test_an_attribution_is_never_energy(clock, peer, meter, name):
    energy, _, _ = run(clock, meter(peer(name)))
    assert (energy.joules, energy.tier) == (None, "E")
    assert "power_attributed" in energy.reasons
    assert float(energy.detail.removeprefix("its estimate is ").removesuffix(" W")) == pytest.approx(4000.0, rel=0.02)


@pytest.mark.parametrize("name", ["redfish-power", "redfish-environment"])
def test_a_chassis_that_servers_share_is_a_rack(peer, meter, name):
    one = peer(name)
    one.servers = 4
    with pytest.raises(
        InputError, match=r"key boundary: expected boundary=rack, got .?node, but 4 servers share this chassis"
    ):
        meter(one)
    assert meter(one, ",boundary=rack").info.boundary == "rack"


@pytest.mark.parametrize("servers", [0, 1])
def test_a_chassis_of_one_server_is_a_node(peer, meter, servers):
    one = peer("redfish-power")
    one.servers = servers
    assert meter(one).info.boundary == "node"


def test_rows_of_a_partitioned_gpu_are_never_added(peer):
    one = peer("dcgm")
    spec = f"prometheus:{one.target},table=dcgm,period=1,sum=gpu,gpu_instance="
    one.repeats = ({"GPU_I_ID": "1"}, {"GPU_I_ID": "2"})
    with pytest.raises(InputError, match="expected each source once"):
        open_meters([f"{spec}1", f"{spec}2"])


def test_the_pattern_of_no_value_in_kilowatts_is_no_power():
    """Hundredths of a kilowatt make 655,350 W of 65535, which is no pattern any more."""
    (point,) = table.bundled("apc-rpdu2").of("power")
    assert point.factor == 10.0
    with pytest.raises(ReadFailedError, match="got 65535, the pattern of a register without a value"):
        _figure(point, 65535, point.factor, needed=True)
    assert _figure(point, 65534, point.factor, needed=True) == 655340.0
