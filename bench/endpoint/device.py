"""The description of a server as the device of a record."""

import ipaddress
import socket

from bench.endpoint.client.target import Target
from bench.endpoint.tiny.sizes import TINY, Size
from bench.results.evidence.endpoint import RANDOM_WEIGHTS
from bench.results.record import Device


def is_local(host: str) -> bool:
    """Return whether a host is this machine; a name that cannot be looked up is not."""
    try:
        addresses = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
        own = {str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None)}
    except OSError:
        return False
    return bool(addresses & own) or any(ipaddress.ip_address(one.partition("%")[0]).is_loopback for one in addresses)


def describe(target: Target) -> Device:
    """Return the device of a record; its hardware is not known from here."""
    return Device(
        kind="server", name=f"server at {target.url}", settings={"unit": target.url, "local": is_local(target.host)}
    )


def describe_random(target: Target, size: Size = TINY) -> Device:
    """Return the device of a record of a server of random weights, whose name says so."""
    described = describe(target)
    return described.model_copy(
        update={"name": size.server, "settings": {**described.settings, "weights": RANDOM_WEIGHTS}}
    )
