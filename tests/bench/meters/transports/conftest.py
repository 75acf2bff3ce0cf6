"""A peer on loopback for every table, and the meter that reads it."""

import datetime as dt
import math
from pathlib import Path

import pytest
from doubles.meters.device import PASSWORD_NAME, Device, settings_of

import bench.meters.transports.kasa
import bench.meters.transports.ptdaemon
import bench.meters.transports.scpi
import bench.meters.transports.tapo  # noqa: F401 (imported before the deadlines of the network are lengthened)
from bench.meters.points import table
from bench.meters.registry import close_meters, open_meters


def described_by(name):
    """Return a bundled table by its name, or a table by its path."""
    return table.read(Path(name)) if str(name).endswith(".toml") else table.bundled(name)


def moving(t):
    """Return a power that never stands still [W]."""
    return 4000.0 + 900.0 * math.sin(t / 3.0)


@pytest.fixture
def peer(clock, tmp_path, monkeypatch):
    """Return a function that starts the peer of a table."""
    made = []

    def start(name, power_w=moving, **options):
        described = described_by(name)
        device = Device(clock, power_w)
        made.append(_peer(described, device, tmp_path, monkeypatch, clock, options))
        made[-1].name = name
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def meter():
    """Return a function that opens the meter of a peer."""
    opened = []

    def start(peer, settings=""):
        target = f":{peer.target}" if peer.target else ""
        described = described_by(peer.name)
        opened.extend(
            open_meters([f"{described.transport}{target},table={peer.name}{settings_of(described)}{settings}"])
        )
        return opened[-1]

    yield start
    close_meters(opened)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Return the files of a certificate that a BMC signed itself for 127.0.0.1, and of its key."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bmc")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("certificate")
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))  # fmt: skip
    return chain, secret


def _peer(described, device, tmp_path, monkeypatch, clock, options):  # noqa: PLR0911, PLR0917 (one for each transport)
    if described.transport == "modbus":
        from doubles.meters.modbus import ModbusPeer

        return ModbusPeer(device, described, **options)
    if described.transport == "snmp":
        from doubles.meters.snmp import SnmpPeer

        return SnmpPeer(device, described, **options)
    if described.transport == "prometheus":
        from doubles.meters.web import ExporterPeer

        return ExporterPeer(device, described, **options)
    if described.transport == "redfish":
        from doubles.meters.web import RedfishPeer

        return RedfishPeer(device, described, **options)
    if described.transport == "scpi":
        from doubles.meters.lines import ScpiPeer

        return ScpiPeer(device, described, **options)
    if described.transport == "ptdaemon":
        from doubles.meters.lines import PtDaemonPeer

        return PtDaemonPeer(device, described, **options)
    if described.transport == "kasa":
        from doubles.meters.kasa import KasaPeer

        return KasaPeer(device, described, **options)
    if described.transport == "tapo":
        from doubles.meters.tapo import PASSWORD, TapoPeer

        monkeypatch.setenv(PASSWORD_NAME, PASSWORD)
        return TapoPeer(device, described, **options)
    if described.transport == "ipmi":
        return _ipmi(device, tmp_path, monkeypatch, clock, options)
    assert described.transport == "mqtt"
    return _mqtt(device, described, clock, monkeypatch, options)


def _ipmi(device, tmp_path, monkeypatch, clock, options):
    from doubles.meters.ipmi import IpmiPeer

    peer = IpmiPeer(device, tmp_path / "bin", **options)
    monkeypatch.setenv("PATH", f"{peer.folder}:/usr/bin:/bin")

    def tick():
        peer.update()
        clock.after(0.5, tick)

    clock.after(0.5, tick)
    return peer


def _mqtt(device, described, clock, monkeypatch, options):
    """Return a broker and a meter whose messages arrive at the moment of the clock at which they are sent."""
    from doubles.meters.mqtt import MqttPeer

    from bench.meters.transports.mqtt import Mqtt

    peer = MqttPeer(device, described, **options)
    opened, received = Mqtt.open, Mqtt._on_message

    def open_(transport):
        opened(transport)
        peer.listening = True
        peer.publish()

    def on_message(transport, *rest):
        received(transport, *rest)
        peer.arrived.release()

    monkeypatch.setattr(Mqtt, "open", open_)
    monkeypatch.setattr(Mqtt, "_on_message", on_message)

    def tick():
        if peer.listening:
            peer.publish()
        clock.after(described.period.s if described.period.s <= 5.0 else 1.0, tick)

    clock.after(0.01, tick)
    return peer
