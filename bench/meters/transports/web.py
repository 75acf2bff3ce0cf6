"""The part that meters over HTTP share: address, login, trust and the private network."""

import ipaddress
from collections.abc import Mapping

from bench.network.http import Device
from bench.network.login import SETTINGS as LOGIN
from bench.network.login import read_login
from bench.network.reach import SETTING as PUBLIC
from bench.network.reach import check_private
from bench.network.tls import SETTINGS as TRUST
from bench.network.tls import read_trust
from bench.network.url import Url, parse_url
from hardware_profiles.errors import InputError

SETTINGS = (*LOGIN, *TRUST, PUBLIC)
TIMEOUT_S = 5.0  # [s] of one request: a BMC is slow


def parse_address(target: str, place: str, example: str) -> Url:
    """Return the address of a spec.

    Raises
    ------
    InputError
        There is none, or it is not one.
    """
    if not target:
        raise InputError.at(place, expected=f"an address, as in {example}")
    return parse_url(target, place, "user= and password_file=")


def open_device(url: Url, settings: Mapping[str, str], place: str, limit_bytes: int) -> Device:
    """Return the device of an address with the login and the trust of the settings, after a look at its address.

    Raises
    ------
    InputError
        A setting is wrong, or the address is public.
    ReadFailedError
        The name has no address.
    """
    login = read_login(place, settings)
    stated = [key for key in TRUST if key in settings]
    if stated and not url.tls:
        raise InputError.at(place, stated[0], expected="an https address with it", got=str(url))
    if login is not None and not url.tls and not _is_here(url.host):
        raise InputError.at(
            place, expected="an https address with a password, because plain http shows it to the network", got=str(url)
        )
    device = Device(url.host, url.port, login, limit_bytes, read_trust(place, settings) if url.tls else None)
    check_private(device.remote, settings, place, TIMEOUT_S)
    return device


def _is_here(host: str) -> bool:
    """Return whether an address is of this machine, where no network is in between."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
