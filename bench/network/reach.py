"""The devices that a meter may ask: those that the user named, on private addresses unless they say otherwise."""

import ipaddress
import time
from collections.abc import Mapping

from bench.network.errors import ReadFailedError
from bench.network.http import parse_host
from bench.network.tcp import HostPort
from hardware_profiles.errors import InputError

SETTING = "public"


def remote_of(target: str, place: str, port: int) -> HostPort:
    """Return the device of a spec's target.

    Parameters
    ----------
    target
        `HOST` or `HOST:PORT`.
    place
        The meter, for messages.
    port
        The port if the target has none.

    Raises
    ------
    InputError
        There is no target, or it is no address.
    """
    if not target:
        raise InputError.at(
            place, expected=f"an address after the name, as in {place.removeprefix('--meter ')}:10.0.0.9"
        )
    return HostPort(*parse_host(target, place, port))


def check_private(remote: HostPort, settings: Mapping[str, str], place: str, timeout_s: float) -> None:
    """Refuse a device on a public address unless the settings say `public=yes`.

    A meter stands in a lab or a hall. A public address is more often a slip, and others control the network between.

    Parameters
    ----------
    remote
        Host and port.
    settings
        Settings of the spec.
    place
        The meter, for messages.
    timeout_s
        Time for the look-up of a name [s].

    Raises
    ------
    InputError
        The address is public, or `public` is neither yes nor no.
    ReadFailedError
        The name has no address.
    """
    allowed = settings.get(SETTING, "no")
    if allowed not in {"yes", "no"}:
        raise InputError.at(place, SETTING, expected="yes or no", got=allowed)
    try:
        addresses = remote.look_up(time.monotonic() + timeout_s)
    except (OSError, ValueError) as error:
        raise ReadFailedError(f"{remote.host}: {str(error) or 'the name was not found in time'}") from None
    for address in addresses if allowed == "no" else ():
        if is_public(address):
            raise InputError(
                f"{place}: expected a device on a private address, got {address}, a public one; if that is right, "
                f"add {SETTING}=yes"
            )


def is_public(address: str) -> bool:
    """Return whether an address is one of the public internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return (getattr(found, "ipv4_mapped", None) or found).is_global
