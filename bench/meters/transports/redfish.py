"""Redfish: the power of a server or a chassis from its BMC.

Each request carries its login (HTTP basic), so that no session is opened: BMCs allow few, and one that a dead program
left behind locks others out.

References
----------
DMTF DSP2046: Power, EnvironmentMetrics, PowerSubsystem and Sensor.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.meters.points.entry import entry
from bench.meters.points.transport import Raw, Transport, TransportKind, check_keys, split_keys, value_at, value_in
from bench.meters.transports.web import SETTINGS, TIMEOUT_S, open_device, parse_address
from bench.network.errors import ReadFailedError
from bench.network.http import OtherAnswerError
from bench.network.url import Url
from hardware_profiles.errors import InputError, shown

if TYPE_CHECKING:
    from bench.network.http import Device

MOST_BYTES = 1 << 20
_CHASSIS = re.compile(r"/redfish/v1/Chassis/[^/]+(?=/(Power|EnvironmentMetrics)$)")  # whose power is of all of it
ONLY = "*"  # in a path: the only member of this collection


@dataclass(frozen=True, slots=True)
class Property:
    """One property of one resource."""

    path: str
    keys: tuple[str | int, ...]


class Redfish(Transport):
    """One BMC."""

    def __init__(self, url: Url, settings: Mapping[str, str], place: str) -> None:
        self.name = f"{url.host}:{url.port}"
        self._url, self._settings, self._place = url, settings, place
        self._device: Device | None = None
        self._members: dict[str, str] = {}  # collection -> its only member

    def place_of(self, at: Mapping[str, Any]) -> Property:
        """Return the property of `{ path = "/redfish/v1/Chassis/*/Power", key = "PowerControl/0/Name" }`."""
        check_keys(at, {"path": str, "key": str})
        if not at["path"].startswith("/"):
            raise ValueError(f"expected a path from the root, got {at['path']!r}")
        return Property(at["path"], split_keys(at["key"]))

    def open(self) -> None:
        """Look at the address."""
        self._device = open_device(self._url, self._settings, self._place, MOST_BYTES)

    def read(self, places: Sequence[Property]) -> list[Raw]:
        """Return the properties; each resource is asked for once."""
        assert self._device is not None  # set by open
        documents: dict[str, Any] = {}
        for path in dict.fromkeys(place.path for place in places):
            documents[path] = self._device.get_json(self._resolved(path), TIMEOUT_S)
        return [value_at(documents[place.path], place.keys) for place in places]

    def servers(self, places: Sequence[Property]) -> int:
        """Return how many systems the chassis of these places contains, as its links say."""
        assert self._device is not None  # set by open
        chassis = dict.fromkeys(match[0] for place in places if (match := _CHASSIS.match(self._resolved(place.path))))
        counts = [1]
        for path in chassis:
            with suppress(OtherAnswerError):  # a BMC that does not show its chassis says nothing of it
                document = self._device.get_json(path, TIMEOUT_S)
                linked = value_in(document, ("Links", "ComputerSystems"))
                counts.append(len(linked) if isinstance(linked, list) else 1)
        return max(counts)

    def _resolved(self, path: str) -> str:
        """Return a path with each `*` as the only member of the collection before it."""
        parts = path.split("/")
        for position, part in enumerate(parts):
            if part == ONLY:
                parts[position] = self._only_member("/".join(parts[:position]))
        return "/".join(parts)

    def _only_member(self, collection: str) -> str:
        assert self._device is not None  # set by open
        if collection not in self._members:
            answer = self._device.get_json(collection, TIMEOUT_S)
            members = answer.get("Members") if isinstance(answer, dict) else None
            paths = [m.get("@odata.id") for m in members if isinstance(m, dict)] if isinstance(members, list) else []
            names = [str(path).rstrip("/").rpartition("/")[2] for path in paths if path]
            if not names:
                raise ReadFailedError(f"{self.name}: {collection}: expected a collection with members, got none")
            if len(names) > 1:
                kind = collection.rpartition("/")[2].lower()
                raise InputError.at(self._place, kind, expected=f"one of {shown(', '.join(names))}")
            self._members[collection] = names[0]
        return self._members[collection]


def _make(target: str, settings: Mapping[str, str], _table_settings: Mapping[str, Any], place: str) -> Redfish:
    if target and "//" not in target:
        target = f"https://{target}"
    return Redfish(parse_address(target, place, "redfish:10.0.0.7"), settings, place)


ENTRY = entry(TransportKind("redfish", "a server's BMC over Redfish", "10.0.0.7", SETTINGS, 1.0, _make))
