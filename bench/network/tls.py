"""Trust in a device's certificate: that of an authority, or one certificate by its fingerprint."""

import hashlib
import re
import ssl
from collections.abc import Mapping
from pathlib import Path

from hardware_profiles.errors import InputError

SETTINGS = ("fingerprint", "ca_file")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class _Pinned(ssl.SSLContext):
    """Accepts one certificate, whoever signed it."""

    fingerprint: str  # SHA-256 in hexadecimal digits


class _PinnedSocket(ssl.SSLSocket):
    """Checks the certificate at the end of the handshake, before anything else is sent."""

    def do_handshake(self, block: bool = False) -> None:
        """Do the handshake and compare the certificate."""
        super().do_handshake(block)
        expected = self.context.fingerprint if isinstance(self.context, _Pinned) else ""
        shown = hashlib.sha256(self.getpeercert(binary_form=True) or b"").hexdigest()
        if shown != expected:
            self.close()
            raise ssl.SSLCertVerificationError(1, f"expected the certificate sha256:{expected}, got sha256:{shown}")


def read_trust(place: str, settings: Mapping[str, str]) -> ssl.SSLContext:
    """Return the trust that the settings of a spec state: the machine's authorities, others, or one certificate.

    A BMC usually has a certificate that it signed itself. There is no setting that accepts any certificate, because a
    password would go to whoever answers.

    Raises
    ------
    InputError
        Both settings are stated, the fingerprint is none, or the file holds no certificate.
    """
    fingerprint, ca_file = settings.get("fingerprint"), settings.get("ca_file")
    if fingerprint is not None and ca_file is not None:
        raise InputError.at(place, "fingerprint", expected="either fingerprint or ca_file", got="both")
    if fingerprint is not None:
        digits = fingerprint.lower().removeprefix("sha256:").replace(":", "")
        if not _SHA256.fullmatch(digits):
            raise InputError.at(place, "fingerprint", expected="a SHA-256 of 64 hexadecimal digits", got=fingerprint)
        pinned = _Pinned(ssl.PROTOCOL_TLS_CLIENT)
        pinned.fingerprint = digits
        pinned.check_hostname = False
        pinned.verify_mode = ssl.CERT_NONE  # _PinnedSocket verifies it
        pinned.sslsocket_class = _PinnedSocket
        return pinned
    if ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(Path(ca_file).expanduser()))
    except (OSError, ssl.SSLError):
        raise InputError.at(place, "ca_file", expected="a file of certificates in PEM form", got=ca_file) from None
