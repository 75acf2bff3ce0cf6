"""The address of a server as a user writes it: http or https, host, port and the path before the server's own paths."""

import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.network.http import Device
from bench.network.login import Login
from hardware_profiles.errors import InputError

PORTS = {"http": 80, "https": 443}


class Url(NamedTuple):
    """An address without user, password, query and fragment."""

    host: str
    port: int
    path: str  # without a slash at its end
    tls: bool

    def __str__(self) -> str:
        """Return the address as text, without the port of its scheme."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "https" if self.tls else "http"
        port = "" if self.port == PORTS[scheme] else f":{self.port}"
        return f"{scheme}://{host}{port}{self.path}"

    def device(self, limit_bytes: int, login: Login | None = None, trust: ssl.SSLContext | None = None) -> Device:
        """Return the server as a device that answers requests; with https its certificate must be trusted.

        Parameters
        ----------
        limit_bytes
            Limit on an answer [byte].
        login
            User and password, or None.
        trust
            Whose certificate is trusted with https; None for the authorities of this machine.
        """
        context = (trust or ssl.create_default_context()) if self.tls else None
        return Device(self.host, self.port, login, limit_bytes, context)


def parse_url(text: str, place: str, passwords: str, port: int | None = None) -> Url:
    """Return the address that a text states.

    Parameters
    ----------
    text
        The address; without a scheme, it is one of http.
    place
        The option, for messages.
    passwords
        Options that state a user and a password, for messages.
    port
        Port if the address has none. [default: that of its scheme]

    Raises
    ------
    InputError
        The text is not an address, or it holds a user, a password, a query or a fragment.
    """
    try:
        parts = urlsplit(text if "//" in text else f"http://{text}")
        stated = parts.port
    except ValueError:
        raise InputError.at(place, expected="a port from 1 to 65535", got=text) from None
    if "@" in parts.netloc:
        raise InputError(f"{place}: expected an address without a user and a password (see {passwords})")
    if parts.scheme not in PORTS or not parts.hostname or parts.query or parts.fragment or stated == 0:
        raise InputError.at(place, expected="an address such as http://10.0.0.5:8000", got=text)
    return Url(parts.hostname, stated or port or PORTS[parts.scheme], parts.path.rstrip("/"), parts.scheme == "https")
