"""The identity of the unit that a record measured, and of the host that measured it: never an index, never a name."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bench.results.record import Record


class Host(NamedTuple):
    """The host that measured; both are empty in a record that does not say it."""

    id: str
    name: str


def host_of(record: "Record") -> Host:
    """Return the host that measured a record."""
    host = record.run.host
    return Host("", "") if host is None else Host(host.id, host.name or "")


def unit_of(kind: str, settings: Mapping[str, object], host_id: str) -> str:
    """Return the identity of the unit under test, or an empty text where it is unknown.

    Parameters
    ----------
    kind
        Kind of the device: cpu, gpu, asic or server.
    settings
        Settings of the device, as the record has them.
    host_id
        Identity of the host that measured it.

    Notes
    -----
    A GPU is its UUID, wherever it is plugged in; a miner is the hash of its serial number or MAC address; a CPU is its
    host. A server is not the host that measured it, and stays unknown.
    """
    if kind == "cpu":
        return f"cpu:{host_id}" if host_id else ""
    own = settings.get({"gpu": "uuid", "asic": "unit"}.get(kind, ""))
    return f"{kind}:{own}" if own else ""
