"""A control file's folder, opened inputs that are closed at the end, and a certificate."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest

from bench.control.inputs import InputTables, PriceTable, TargetTable, open_inputs

NOW = 1_796_090_400.0  # 2026-12-01 02:00 UTC


class Clock:
    """The controller's clock, which the test sets."""

    def __init__(self, now_s=NOW):
        self.now_s = now_s

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def opened(tmp_path, clock):
    """Open the inputs of tables; `at(seconds)` moves the clock, lets every source be looked at, and returns them."""
    all_opened = []

    def start(price=None, target=None, before=None):
        tables = InputTables(
            PriceTable.model_validate(price) if price else None,
            tuple(
                TargetTable.model_validate(each) for each in ([target] if isinstance(target, dict) else target or [])
            ),
            tmp_path / "control.toml",
            tmp_path / "received",
        )
        inputs = open_inputs(tables, clock, before)
        all_opened.append(inputs)

        def at(seconds):
            clock.now_s = NOW + seconds
            inputs.now(clock.now_s)
            inputs.settle(30.0)
            return inputs.now(clock.now_s)

        inputs.at = at
        return inputs

    yield start
    for each in all_opened:
        each.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signed itself, and its key, as paths of PEM files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2)).add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret.write_bytes(key.private_bytes(*form))
    return chain, secret
