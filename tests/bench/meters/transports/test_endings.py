"""Every ending of a real process leaves the devices as they were: no session, no client, no measurement."""

import contextlib
import signal
import subprocess
import sys
import threading

import pytest

RUN = ("run", "sha256d_scan_cpu", "--threads", "1", "--plan", "smoke")
STATUS = 130
READINGS = 3  # of the daemon, before a signal is sent


@pytest.fixture
def devices(peer):
    """A BMC, a broker with a meter that publishes, and PTDaemon."""
    return {name: peer(name, lambda _: 400.0) for name in ("redfish-power", "shelly-mqtt", "ptdaemon")}


@contextlib.contextmanager
def publishing(broker):
    """Let the meter behind a broker publish in real time."""
    ended = threading.Event()

    def publish():
        while not ended.wait(0.2):
            broker.arrived.release()
            broker.publish()

    thread = threading.Thread(target=publish)
    thread.start()
    yield
    ended.set()
    thread.join()


def specs(devices):
    bmc, broker, daemon = devices.values()
    return [
        f"redfish:{bmc.target},table=redfish-power",
        f"mqtt:{broker.target},table=shelly-mqtt,device=1",
        f"ptdaemon:{daemon.target},table=ptdaemon",
    ]


def run(tmp_path, devices, *words, sent=None):
    """Run a command with all three meters, end it by a signal once they are read, and return status and messages."""
    daemon = devices["ptdaemon"]
    command = [sys.executable, "-m", "bench", *words]
    with (
        publishing(devices["shelly-mqtt"]),
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process,
    ):
        while sent is not None and process.poll() is None and len(_readings(daemon)) < READINGS:
            pass
        if sent is not None:
            assert daemon.running
            process.send_signal(sent)
        _, errors = process.communicate(timeout=280.0)
    assert "Traceback" not in errors
    return process.returncode, errors


def _readings(daemon):
    return [line for line in daemon.heard if line.startswith("RL")]


def as_they_were(devices):
    """Return whether no device is left with a session, a client that vanished, or a measurement."""
    bmc, broker, daemon = devices.values()
    return (bmc.methods, broker.left, daemon.running) == ({"GET"}, [True], False)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_told_to_end_leaves_the_devices_as_they_were(tmp_path, devices, sent):
    meters = [word for spec in specs(devices) for word in ("--meter", spec)]
    status, errors = run(tmp_path, devices, *RUN, *meters, sent=sent)
    assert status == STATUS, errors
    assert as_they_were(devices)


def test_a_run_that_fails_at_its_last_meter_leaves_the_others_as_they_were(tmp_path, devices):
    meters = [word for spec in specs(devices) for word in ("--meter", spec)]
    status, errors = run(tmp_path, devices, *RUN, *meters, "--meter", "trace:nowhere/power.csv")
    assert (status, len(errors.splitlines())) == (2, 1), errors
    assert as_they_were(devices)


def test_a_look_ends_as_it_began(tmp_path, devices):
    for spec in specs(devices):
        status, errors = run(tmp_path, devices, "meter", "check", spec, "--seconds", "2")
        assert status == 0, errors
    assert as_they_were(devices)


def test_what_nohup_ignores_stays_ignored(tmp_path, devices):
    bmc, *_ = specs(devices)
    words = ["meter", "check", bmc, "--seconds", "5"]
    code = f"import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); sys.argv[1:] = {words}"
    command = [sys.executable, "-c", f"{code}; from bench.cli import main; main()"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        while process.poll() is None and devices["redfish-power"].asked < READINGS:
            pass
        process.send_signal(signal.SIGHUP)
        _, errors = process.communicate(timeout=280.0)
    assert process.returncode == 0, errors


def test_after_a_kill_the_next_run_names_what_was_left(tmp_path, devices, perwatt):
    *_, spec = specs(devices)
    run(tmp_path, devices, "meter", "check", spec, "--seconds", "50", sent=signal.SIGKILL)
    done = perwatt("meter", "check", spec)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "a run that was killed left its measurement on: send Stop to it" in done.stderr
