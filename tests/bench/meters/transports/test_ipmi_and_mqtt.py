"""The two programs that read a BMC, and messages that a broker kept from long ago."""

import pytest

from bench.meters.errors import MeterError
from bench.meters.registry import close_meters, open_meters
from hardware_profiles.errors import InputError

PROGRAMS = ["ipmi-dcmi", "ipmitool"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_either_program_gives_the_joules(clock, peer, meter, program):
    opened = meter(peer("dcmi", lambda t: 4000.0 + 10.0 * (t % 7.0), program=program))
    clock.sleep(3.0)
    start = clock.monotonic()
    clock.sleep(115.0)
    energy = opened.energy(start, start + 112.0)
    assert energy.reasons == ()
    assert energy.mean_power_w == pytest.approx(4035.0, rel=0.01)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_averaging_time_that_the_bmc_prints_is_in_the_edges(clock, peer, meter, program):
    start_s = clock.monotonic() + 60.0
    opened = meter(peer("dcmi", lambda t: 300.0 + 100.0 * (t >= start_s) + t % 3.0, program=program, averaging_s=20))
    assert opened.info.averaging_s == 20.0
    clock.sleep(190.0)
    energy = opened.energy(start_s, start_s + 110.0)
    assert energy.edges_j == pytest.approx((20.0 / 2.0 + 1.0) * 102.0, rel=0.3)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_time_of_the_bmcs_statistics_is_none_of_its_power(peer, meter, program):
    opened = meter(peer("dcmi", program=program, averaging_s=1131466))
    assert opened.info.averaging_s == 1.0
    assert any(line.endswith("that of the device's statistics, not used") for line in opened.explain())


@pytest.mark.parametrize(("program", "state"), [("ipmi-dcmi", "Not Available"), ("ipmitool", "deactivated")])
def test_zero_watts_of_an_inactive_meter_are_refused_with_its_state(peer, meter, program, state):
    one = peer("dcmi", program=program)
    one.device.mode = "sentinel"
    one.update()
    with pytest.raises(InputError, match=f"expected Active or activated, got '?{state}"):
        meter(one)


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_active_meter_that_says_zero_is_marked(clock, peer, meter, program):
    one = peer("dcmi", program=program)
    one.device.mode = "zero"
    one.update()
    opened = meter(one)
    clock.sleep(3.0)
    assert all("zero_unconfirmed" in reading.codes for reading in opened.readings())


def test_a_machine_without_either_program_says_what_to_install(peer, meter, monkeypatch, tmp_path):
    one = peer("dcmi")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(MeterError, match=r"needs ipmi-dcmi \(freeipmi-tools\) or ipmitool on the PATH"):
        meter(one)


def test_the_password_of_a_remote_bmc_is_in_no_argument(peer, tmp_path):
    one = peer("dcmi", program="ipmitool")
    script = one.folder / "ipmitool"
    seen = tmp_path / "arguments"
    shell = script.read_text().replace("#!/bin/sh\n", f'#!/bin/sh\necho "$@" "($IPMI_PASSWORD)" >> {seen}\n', 1)
    script.write_text(shell)
    secret = tmp_path / "secret"
    secret.write_text("correct horse")
    secret.chmod(0o600)
    opened = open_meters([f"ipmi:127.0.0.1,table=dcmi,user=ops,password_file={secret}"])
    close_meters(opened)
    arguments = seen.read_text().splitlines()[0]
    assert arguments == "-I lanplus -H 127.0.0.1 -U ops -E dcmi power reading (correct horse)"


def test_a_message_that_the_broker_kept_is_no_reading(peer, meter, monkeypatch):
    monkeypatch.setattr("bench.meters.transports.mqtt.FIRST_S", 0.5)
    one = peer("shelly-mqtt")
    one.publish(retain=True)
    one.device.mode = "silent"
    with pytest.raises(MeterError, match=r"no message of .*switch:0"):
        meter(one)


def test_old_messages_stop_being_readings(clock, peer, meter):
    one = peer("shelly-mqtt", lambda _t: 400.0)
    opened = meter(one)
    clock.sleep(10.0)
    one.device.mode = "silent"
    clock.sleep(40.0)
    assert opened.readings()[-1].value is None
    assert "the last message is" in opened.last_error
