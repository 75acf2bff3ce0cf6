"""PTDaemon: ranges are set and restored in every ending, lines in between are passed over, a daemon may begin anew."""

import re
import signal
import subprocess
import sys

import pytest

from bench.meters.errors import MeterError
from bench.meters.registry import close_meters
from hardware_profiles.errors import InputError

RANGES = ",volts_range=150,amps_range=5"
BEFORE = {"V": "300.0", "A": "Auto"}
SET = {"V": "150", "A": "5"}


@pytest.fixture
def daemon(peer):
    return peer("ptdaemon", lambda t: 4000.0 + 10.0 * (t % 7.0))


def test_without_a_range_in_the_spec_none_is_touched(clock, daemon, meter):
    meter(daemon)
    clock.sleep(10.0)
    assert not any(line.startswith(("SR", "RR")) for line in daemon.heard)


def test_ranges_are_set_before_the_measurement_and_restored_after_it(clock, daemon, meter):
    opened = meter(daemon, RANGES)
    assert (daemon.ranges, daemon.running) == (SET, True)
    assert daemon.heard.index("RR") < daemon.heard.index("SR,V,150") < daemon.heard.index("Go,1000,0,perwatt")
    clock.sleep(10.0)
    close_meters([opened])
    assert (daemon.ranges, daemon.running) == (BEFORE, False)


def test_a_range_alone_leaves_the_other(daemon, meter):
    opened = meter(daemon, ",amps_range=5")
    assert daemon.ranges == {"V": "300.0", "A": "5"}
    close_meters([opened])
    assert daemon.ranges == BEFORE


@pytest.mark.parametrize("command", ["Go", "RL"])
def test_ranges_are_restored_when_the_opening_fails(daemon, meter, command):
    daemon.refuses = (command,)
    with pytest.raises((MeterError, InputError)):
        meter(daemon, RANGES)
    assert daemon.ranges == BEFORE
    assert SET["V"] in "".join(daemon.heard)


def test_ranges_are_restored_when_the_first_reading_is_none(daemon, meter):
    daemon.device.mode = "sentinel"
    with pytest.raises((MeterError, InputError)):
        meter(daemon, RANGES)
    assert (daemon.ranges, daemon.running) == (BEFORE, False)


@pytest.mark.parametrize("ending", ["break_off", "restart"])
def test_ranges_are_restored_after_a_connection_that_broke(daemon, meter, ending):
    opened = meter(daemon, RANGES)
    getattr(daemon, ending)()
    close_meters([opened])
    assert (daemon.ranges, daemon.running) == (BEFORE, False)


def test_a_daemon_that_fails_at_stop_has_its_ranges_restored(daemon, meter):
    opened = meter(daemon, RANGES)
    daemon.refuses = ("Stop",)
    close_meters([opened])
    assert daemon.ranges == BEFORE


def test_a_daemon_that_is_gone_does_not_hold_the_end_up(daemon, meter):
    opened = meter(daemon, RANGES)
    daemon.close()
    close_meters([opened])


@pytest.mark.parametrize("ending", ["break_off", "restart"])
def test_a_daemon_that_begins_anew_is_read_again_and_the_gap_is_seen(clock, daemon, meter, ending):
    opened = meter(daemon, RANGES)
    start = clock.monotonic()
    clock.sleep(60.0)
    getattr(daemon, ending)()
    clock.sleep(10.0)
    again = clock.monotonic()
    assert (daemon.ranges, daemon.running) == (SET, True)
    clock.sleep(115.0)
    energy = opened.energy(again, clock.monotonic() - 2.0)
    assert energy.reasons == ()
    assert energy.mean_power_w == pytest.approx(4035.0, rel=0.01)
    missing = [reading for reading in opened.readings() if reading.value is None]
    assert missing
    assert all(start + 59.0 < reading.t_s < again for reading in missing)
    close_meters([opened])
    assert daemon.ranges == BEFORE


def test_lines_in_between_are_passed_over(clock, daemon, meter):
    daemon.notices = (
        "08:00:01 NOTICE: a line",
        "Warning: 08:00:01 ERROR: Bad volts reading nan from WT310",
        "WARNING x",
    )
    opened = meter(daemon)
    clock.sleep(20.0)
    assert all(reading.value is not None for reading in opened.readings())


def test_several_samples_at_once_are_one_reading_the_newest(clock, daemon, meter):
    opened = meter(daemon)
    clock.sleep(1.0)
    daemon.notices = ()
    real = daemon.reply
    old = "Time,01-01-2026 00:00:00.000,Watts,1.0,Volts,-1.0,Amps,-1.0,PF,-1.0,Mark,x"
    daemon.reply = lambda line: (
        f"Last 3 samples\r\n{old}\r\n{old}\r\n{daemon._sample()}" if line.startswith("RL") else real(line)
    )
    clock.sleep(20.0)
    assert all(reading.value > 3900.0 for reading in opened.readings())


def test_another_program_on_the_port_is_named(daemon, meter):
    daemon.reply = lambda _: "220 mail.example ESMTP"
    with pytest.raises(MeterError, match=r"expected PTDaemon, got '?220 mail"):
        meter(daemon)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_ranges_are_restored_when_the_program_is_told_to_end(daemon, sent):
    spec = f"ptdaemon:{daemon.target},table=ptdaemon{RANGES}"
    command = [sys.executable, "-m", "bench", "meter", "check", spec, "--seconds", "50"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not any(line.startswith("RL") for line in daemon.heard) and process.poll() is None:
            pass
        assert daemon.ranges == SET
        process.send_signal(sent)
        _, errors = process.communicate(timeout=300.0)
    assert (daemon.ranges, daemon.running) == (BEFORE, False)
    assert process.returncode == 130
    assert not re.search(r"Traceback|Error", errors)
