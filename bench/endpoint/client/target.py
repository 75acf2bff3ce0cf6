"""The server under test: its address, its key and its certificates, as a user names them."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from bench.network.http import Device
from bench.network.login import password_of_file, password_of_variable
from bench.network.url import parse_url
from hardware_profiles.errors import InputError

LARGEST_ANSWER = 4 * 2**20  # [byte] of a page of metrics or a list of models


@dataclass(frozen=True, slots=True)
class Target:
    """The server under test."""

    host: str
    port: int
    path: str  # before `/v1/...`
    tls: bool
    ca_file: str
    api_key: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The address without the key."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.tls else ''}://{host}:{self.port}{self.path}"

    def device(self) -> Device:
        """Return the server as a device that answers single requests."""
        context = ssl.create_default_context(cafile=self.ca_file or None) if self.tls else None
        return Device(self.host, self.port, limit_bytes=LARGEST_ANSWER, tls=context)


def read_target(url: str, key_file: str | None = None, key_variable: str | None = None, ca_file: str = "") -> Target:
    """Return the server that the options name.

    Parameters
    ----------
    url
        `http://HOST:PORT` or `https://HOST:PORT`, with the path before `/v1` if there is one.
    key_file, key_variable
        File or environment variable that holds the API key.
    ca_file
        Certificates to trust instead of the system's.

    Raises
    ------
    InputError
        The address is not one, holds a password, or the key or the certificates cannot be read.
    """
    parsed = parse_url(url, "--url", "--api-key-file")
    if ca_file:
        _check_certificates(ca_file)
    return Target(
        host=parsed.host,
        port=parsed.port,
        path=parsed.path.removesuffix("/v1"),
        tls=parsed.tls,
        ca_file=ca_file,
        api_key=_read_key(key_file, key_variable),
    )


def _check_certificates(ca_file: str) -> None:
    try:
        ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or error.__class__.__name__
        raise InputError.at("--ca-file", expected=f"certificates in PEM form ({why})", got=str(Path(ca_file))) from None


def _read_key(key_file: str | None, key_variable: str | None) -> str:
    """Return the API key by the rules for passwords of devices, or an empty text."""
    if key_file is not None and key_variable is not None:
        raise InputError.at("--api-key-file", expected="either --api-key-file or --api-key-env", got="both")
    if key_file is not None:
        return password_of_file("--api-key-file", Path(key_file))
    return password_of_variable("--api-key-env", key_variable, "key") if key_variable is not None else ""
