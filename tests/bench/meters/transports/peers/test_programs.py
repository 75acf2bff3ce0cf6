"""The recorded answers over the wire, from programs of others: net-snmp's agent, snmpsim and mosquitto."""

import contextlib
import threading
import tomllib
from pathlib import Path

import pytest
from doubles.meters import programs
from doubles.meters.programs import COMMUNITY, PASSWORD, USER
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from bench.meters.errors import MeterError
from bench.meters.points import table
from bench.meters.points.units import FACTORS
from bench.meters.registry import close_meters, make_meter, open_meters
from hardware_profiles.errors import InputError

ANSWERS = tomllib.loads((Path(__file__).parents[1] / "recorded.toml").read_text(encoding="utf-8"))["answer"]
WALKS = [row for row in ANSWERS if table.bundled(row["table"]).transport == "snmp" and "figures" in row]
MESSAGES = [row for row in ANSWERS if table.bundled(row["table"]).transport == "mqtt"]


def needs(program, package):
    """Skip a test whose program is missing."""
    return pytest.mark.skipif(
        programs.path_of(program) is None, reason=f"{program} is not installed: apt-get install {package}"
    )


SNMPD = needs("snmpd", "snmpd")
SNMPSIM = pytest.mark.skipif(
    programs.path_of("snmpsim-command-responder") is None, reason="snmpsim is not installed: pip install snmpsim pysmi"
)
MOSQUITTO = needs("mosquitto", "mosquitto")


@pytest.fixture
def secret(tmp_path):
    """Write a secret to a file of mode 0600, and return its path."""

    def write(text):
        path = tmp_path / f"secret-{len(text)}"
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write


@contextlib.contextmanager
def opened(spec):
    meters = open_meters([spec])
    try:
        yield meters[0]
    finally:
        close_meters(meters)


def power_w(row):
    """Return the power that a recorded answer means [W], of all phases."""
    texts = [text for name, text in row["figures"].items() if name.split()[0] == "power"]
    return sum(float(text.split()[0]) * FACTORS["power"][text.split()[1]] for text in texts)


def spec_of(row, target, login):
    described = table.bundled(row["table"])
    return f"{described.transport}:{target},table={row['table']}{row.get('settings', '')}{login}"


@pytest.fixture
def started(tmp_path):
    """Return a function that starts a program in a folder of its own."""
    running = []

    def start(make, *parts):
        running.append(make(tmp_path, *parts))
        return running[-1]

    yield start
    for one in running:
        one.close()


@SNMPD
@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("row", WALKS, ids=[row["source"] for row in WALKS])
def test_an_agent_of_net_snmp_gives_the_power_of_a_recorded_walk(started, secret, row, version):
    one = started(programs.snmpd, row["raw"])
    login = f",user={USER},password_file={secret(PASSWORD)}" if version == 3 else f",password_file={secret(COMMUNITY)}"
    with opened(spec_of(row, one.target, login)) as meter:
        assert meter.readings()[0].value == pytest.approx(power_w(row))


@SNMPD
def test_an_agent_of_net_snmp_refuses_another_login_and_is_not_asked_again(started, secret):
    one = started(programs.snmpd, WALKS[0]["raw"])
    login = f",user={USER},password_file={secret('another horse')}"
    with pytest.raises(InputError, match="expected the login of the device"):
        make_meter(spec_of(WALKS[0], one.target, login)).open()


@SNMPSIM
def test_snmpsim_gives_the_power_of_every_recorded_walk(started, secret):
    one = started(programs.snmpsim, {f"walk{'x' * position}": row["raw"] for position, row in enumerate(WALKS)})
    for position, row in enumerate(WALKS):
        with opened(spec_of(row, one.target, f",password_file={secret('walk' + 'x' * position)}")) as meter:
            assert meter.readings()[0].value == pytest.approx(power_w(row))


@MOSQUITTO
@pytest.mark.parametrize("row", MESSAGES, ids=[row["table"] for row in MESSAGES])
def test_mosquitto_brings_the_power_of_a_recorded_message(started, secret, row):
    one = started(programs.mosquitto)
    over = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(USER, PASSWORD)
    client.connect("127.0.0.1", one.port)
    client.loop_start()

    def publish():
        while not over.wait(0.05):
            for topic, payload in row["raw"].items():
                client.publish(topic, payload)

    sender = threading.Thread(target=publish, daemon=True)
    sender.start()
    try:
        with opened(spec_of(row, one.target, f",user={USER},password_file={secret(PASSWORD)}")) as meter:
            assert meter.readings()[0].value == pytest.approx(power_w(row))
    finally:
        over.set()
        sender.join()
        client.disconnect()
        client.loop_stop()


@MOSQUITTO
def test_mosquitto_refuses_another_login(started, secret):
    one = started(programs.mosquitto)
    with pytest.raises((InputError, MeterError), match=r"Not authorized|login of the device"):
        make_meter(spec_of(MESSAGES[0], one.target, f",user={USER},password_file={secret('x')}")).open()
