"""Logins of the transports: right, wrong and missing; a refused one is sent once, and no password is shown anywhere."""

import json

import pytest
from doubles.meters import mqtt as broker
from doubles.meters import snmp as agent
from doubles.meters import web

from bench.meters.check import look
from bench.meters.errors import MeterError
from bench.meters.protocol import MeterOptions
from bench.meters.registry import make_meter
from hardware_profiles.errors import InputError

WRONG = "sesame street"


@pytest.fixture
def secret(tmp_path):
    """Return a function that writes a password into a file that nobody else reads."""

    def write(password):
        path = tmp_path / "secret"
        path.write_text(password + "\n")
        path.chmod(0o600)
        return f"password_file={path}"

    return write


def test_a_bmc_is_read_with_its_password(clock, peer, meter, secret):
    one = peer("redfish-power", login=True)
    opened = meter(one, f",user={web.USER},{secret(web.PASSWORD)}")
    clock.sleep(10.0)
    assert len(opened.readings()) > 5
    assert one.refused == 0


def test_a_wrong_password_is_sent_to_a_bmc_once(peer, meter, secret):
    one = peer("redfish-power", login=True)
    with pytest.raises(InputError, match="expected the login of the device") as error:
        meter(one, f",user={web.USER},{secret(WRONG)}")
    assert one.refused == 1
    assert WRONG not in str(error.value)


def test_a_bmc_that_refuses_in_the_middle_of_a_run_is_not_asked_again(clock, peer, meter, secret):
    one = peer("redfish-power", login=True)
    opened = meter(one, f",user={web.USER},{secret(web.PASSWORD)}")
    start = clock.monotonic()
    clock.sleep(60.0)
    one.device.mode = "unauthorised"
    clock.sleep(5.0)
    asked = one.asked
    clock.sleep(60.0)
    assert (one.refused, one.asked) == (1, asked)
    assert opened.energy(start + 1.0, clock.monotonic()).joules is None
    assert "not asked again" in opened.last_error


def test_a_bmc_that_wants_a_password_says_so(peer, meter):
    one = peer("redfish-power", login=True)
    with pytest.raises(InputError, match=r"key password_file: .*because the device wants a password, got none"):
        meter(one)
    assert one.asked == 1


def test_a_user_of_snmp_3_is_let_in(clock, peer, meter, secret):
    opened = meter(peer("apc-rpdu2"), f",user={agent.USER},{secret(agent.PASSWORD)}")
    clock.sleep(10.0)
    assert len(opened.readings()) > 5


@pytest.mark.parametrize(
    "settings", ["", ",auth=sha512", ",privacy=none", ",privacy=des"], ids=["password", "auth", "open", "privacy"]
)
@pytest.mark.usefixtures("deadlines")
def test_a_wrong_login_of_snmp_3_is_refused(peer, meter, secret, settings, monkeypatch):
    monkeypatch.setattr("bench.meters.transports.snmp.TIMEOUT_S", 1.0)
    password = agent.PASSWORD if settings else WRONG
    one = peer("apc-rpdu2")
    with pytest.raises((InputError, MeterError)) as error:
        meter(one, f",user={agent.USER},{secret(password)}{settings}")
    assert one.asked == 0
    assert "snmp" in str(error.value)
    assert WRONG not in str(error.value)
    assert isinstance(error.value, InputError) == (settings != ",privacy=des")  # of that one the agent says nothing


def test_an_unknown_user_of_snmp_3_is_refused(peer, meter, secret):
    with pytest.raises(InputError, match="expected the login of the device"):
        meter(peer("apc-rpdu2"), f",user=nobody,{secret(agent.PASSWORD)}")


def test_the_community_is_a_password(clock, peer, meter, secret):
    opened = meter(peer("apc-rpdu2"), f",{secret(agent.COMMUNITY)}")
    clock.sleep(10.0)
    assert len(opened.readings()) > 5
    assert agent.COMMUNITY not in repr(opened.info)


@pytest.mark.usefixtures("deadlines")
def test_a_wrong_community_is_silence_and_the_message_says_what_to_check(peer, meter, secret, monkeypatch):
    monkeypatch.setattr("bench.meters.transports.snmp.TIMEOUT_S", 0.2)
    with pytest.raises(MeterError, match="check the community") as error:
        meter(peer("apc-rpdu2"), f",{secret(WRONG)}")
    assert WRONG not in str(error.value)


def test_a_short_password_of_snmp_3_is_refused_before_anything_is_sent(secret):
    with pytest.raises(InputError, match="at least 8 characters"):
        make_meter(f"snmp:10.0.0.6,table=apc-rpdu2,user=reader,{secret('short')}")


def test_a_broker_lets_its_user_in(clock, peer, meter, secret, tmp_path):
    opened = meter(peer("shelly-mqtt", login=tmp_path / "users"), f",user={broker.USER},{secret(broker.PASSWORD)}")
    clock.sleep(10.0)
    assert len(opened.readings()) > 5


@pytest.mark.parametrize("settings", ["wrong", ""])
def test_a_broker_refuses_others(peer, meter, secret, tmp_path, settings):
    one = peer("shelly-mqtt", login=tmp_path / "users")
    with pytest.raises(InputError, match="expected the login of the device") as error:
        meter(one, f",user={broker.USER},{secret(WRONG)}" if settings else "")
    assert WRONG not in str(error.value)


@pytest.mark.parametrize("spec", ["redfish:10.0.0.7,table=redfish-power", "snmp:10.0.0.6,table=apc-rpdu",
                                  "mqtt:10.0.0.2,table=tasmota-mqtt,device=plug", "ipmi:10.0.0.7,table=dcmi",
                                  "prometheus:10.0.0.5,table=dcgm,period=1"])  # fmt: skip
def test_a_password_in_the_spec_is_refused_and_not_repeated(spec):
    with pytest.raises(InputError, match="got a password in the command") as error:
        make_meter(f"{spec},password=hush")
    assert "hush" not in str(error.value)


def test_no_record_and_no_look_has_the_password(clock, peer, meter, secret):
    one = peer("redfish-power", login=True)
    opened = meter(one, f",user={web.USER},{secret(web.PASSWORD)}")
    clock.sleep(10.0)
    seen = look(f"redfish:{one.target},table=redfish-power,user={web.USER},{secret(web.PASSWORD)}", MeterOptions(), 5.0)
    shown = repr(opened.info) + repr(opened.readings()) + repr(seen) + json.dumps(vars(opened), default=repr)
    assert web.PASSWORD not in shown
