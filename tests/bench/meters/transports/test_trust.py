"""Whom a meter trusts: one certificate by its fingerprint or its authority, and devices on private addresses."""

import hashlib
import ssl

import pytest
from doubles.meters import mqtt as broker
from doubles.meters import web

from bench.meters.errors import MeterError
from bench.meters.registry import make_meter
from bench.network.errors import ReadFailedError
from bench.network.reach import check_private
from bench.network.tcp import HostPort
from hardware_profiles.errors import InputError


@pytest.fixture
def fingerprint(certificate):
    """Return the SHA-256 of the certificate."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate[0].read_text())).hexdigest()


@pytest.fixture
def login(tmp_path):
    path = tmp_path / "secret"
    path.write_text(web.PASSWORD)
    path.chmod(0o600)
    return f",user={web.USER},password_file={path}"


@pytest.mark.parametrize("form", [str, str.upper, lambda digits: "sha256:" + digits,
                                  lambda digits: ":".join(digits[i : i + 2] for i in range(0, 64, 2))])  # fmt: skip
def test_a_certificate_named_by_its_fingerprint_is_trusted(peer, meter, certificate, fingerprint, login, form):  # noqa: PLR0917 (fixtures)
    one = peer("redfish-power", certificate=certificate, login=True)
    opened = meter(one, f"{login},fingerprint={form(fingerprint)}")
    assert opened.readings()[0].value > 3000.0


def test_another_certificate_is_refused_before_anything_is_sent(peer, meter, certificate, login):
    one = peer("redfish-power", certificate=certificate, login=True)
    with pytest.raises(MeterError, match=r"Chassis: expected the certificate sha256:0{64}, got sha256:[0-9a-f]{64}$"):
        meter(one, f"{login},fingerprint={'0' * 64}")
    assert one.asked == 0


def test_the_authority_of_a_file_is_trusted(peer, meter, certificate, login):
    one = peer("redfish-power", certificate=certificate, login=True)
    assert meter(one, f"{login},ca_file={certificate[0]}").readings()[0].value > 3000.0


def test_a_certificate_that_a_bmc_signed_itself_is_refused(peer, meter, certificate, login):
    one = peer("redfish-power", certificate=certificate, login=True)
    with pytest.raises(InputError, match=r"key fingerprint: expected .*ca_file=.*self-signed certificate$"):
        meter(one, login)
    assert one.asked == 0


@pytest.mark.parametrize("trust", ["fingerprint", "ca_file"])
def test_a_broker_over_tls_is_trusted_likewise(clock, peer, meter, certificate, fingerprint, trust):  # noqa: PLR0917 (fixtures)
    one = peer("shelly-mqtt", certificate=certificate)
    opened = meter(one, f",{trust}={fingerprint if trust == 'fingerprint' else certificate[0]}")
    clock.sleep(10.0)
    assert len(opened.readings()) > 5


def test_a_broker_with_another_certificate_gets_no_password(peer, meter, certificate, tmp_path):
    path = tmp_path / "secret"
    path.write_text(broker.PASSWORD)
    path.chmod(0o600)
    one = peer("shelly-mqtt", certificate=certificate)
    with pytest.raises(MeterError, match="expected the certificate sha256:0000"):
        meter(one, f",user={broker.USER},password_file={path},fingerprint={'0' * 64}")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("fingerprint=AB:CD", "a SHA-256 of 64 hexadecimal digits"),
        ("ca_file=/no/such/file", "a file of certificates in PEM form"),
        (f"fingerprint={'0' * 64},ca_file=x", "either fingerprint or ca_file"),
    ],
)
def test_a_wrong_trust_is_one_line(settings, words):
    with pytest.raises(InputError, match=words) as error:
        make_meter(f"redfish:https://127.0.0.1:1,table=redfish-power,{settings}").open()
    assert "\n" not in str(error.value)


def test_trust_needs_https(peer, meter):
    with pytest.raises(InputError, match="an https address with it"):
        meter(peer("redfish-power"), f",fingerprint={'0' * 64}")


@pytest.mark.parametrize("spec", ["redfish:9.9.9.9,table=redfish-power", "snmp:9.9.9.9,table=apc-rpdu",
                                  "modbus:9.9.9.9,table=abb-b", "scpi:9.9.9.9,table=yokogawa-wt310",
                                  "mqtt:9.9.9.9,table=zigbee2mqtt,device=plug", "ptdaemon:9.9.9.9,table=ptdaemon",
                                  "prometheus:9.9.9.9,table=dcgm,period=1", "kasa:9.9.9.9,table=kasa",
                                  "ipmi:9.9.9.9,table=dcmi", "shelly:9.9.9.9", "tasmota:9.9.9.9",
                                  "modbus:[::ffff:9.9.9.9]:502,table=abb-b"])  # fmt: skip
def test_a_public_address_is_refused_before_anything_is_sent(spec, monkeypatch):
    def connected(*_):
        raise AssertionError("a packet to a public address")

    monkeypatch.setattr(HostPort, "connect", connected)
    monkeypatch.setattr("socket.create_connection", connected)
    monkeypatch.setattr("bench.meters.transports.ipmi.run_tool", connected)
    with pytest.raises(InputError, match=r"a public one; if that is right, add public=yes"):
        make_meter(spec).open()


@pytest.mark.parametrize("spec", ["redfish:http://10.0.0.7,table=redfish-power",
                                  "prometheus:http://10.0.0.5:9400,table=dcgm,period=1"])  # fmt: skip
def test_no_password_goes_over_a_network_in_plain_text(spec, login):
    with pytest.raises(InputError, match="expected an https address with a password"):
        make_meter(spec + login).open()


def test_public_is_yes_or_no():
    with pytest.raises(InputError, match="key public: expected yes or no"):
        make_meter("modbus:10.0.0.9,table=abb-b,public=maybe").open()
    check_private(HostPort("9.9.9.9", 1), {"public": "yes"}, "--meter x", 1.0)
    check_private(HostPort("10.0.0.9", 1), {}, "--meter x", 1.0)


def test_a_name_with_a_public_address_among_others_is_refused(monkeypatch):
    monkeypatch.setattr(HostPort, "look_up", lambda *_: ["10.0.0.9", "2001:4860:4860::8888"])
    with pytest.raises(InputError, match="2001:4860:4860::8888, a public one"):
        check_private(HostPort("meter.example", 1), {}, "--meter x", 1.0)


def test_a_name_without_an_address_is_no_reading(monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: (_ for _ in ()).throw(OSError("no such name")))
    with pytest.raises(ReadFailedError, match="no such name"):
        check_private(HostPort("no.such.name", 1), {}, "--meter x", 5.0)
