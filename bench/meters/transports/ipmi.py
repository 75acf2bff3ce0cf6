"""IPMI DCMI: the power reading of a BMC through FreeIPMI's `ipmi-dcmi` or through `ipmitool`.

References
----------
DCMI 1.5, Get Power Reading: present, minimum, maximum and average power, a time stamp, the averaging time and a state.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from bench.machine.processes import run_tool
from bench.meters.errors import MeterError
from bench.meters.points.entry import entry
from bench.meters.points.transport import Raw, Transport, TransportKind, check_keys
from bench.network.errors import ReadFailedError
from bench.network.http import LoginRefusedError
from bench.network.login import SETTINGS as LOGIN
from bench.network.login import Login, read_login
from bench.network.reach import SETTING as PUBLIC
from bench.network.reach import check_private
from bench.network.tcp import HostPort
from hardware_profiles.errors import shown

PORT = 623
TIMEOUT_S = 10.0  # [s] of one call
_FIELDS = {  # of both programs' texts, in small letters
    "power": ("current power", "instantaneous power reading"),
    "average": ("average power over sampling duration", "average power reading over sample period"),
    "time": ("time stamp", "ipmi timestamp"),
    "state": ("power measurement", "power reading state is"),
    "averaging": ("statistics reporting time period", "sampling period"),
}
_LINE = re.compile(r"\s*([^:]+?)\s*:\s*(.+?)\s*")


class Ipmi(Transport):
    """The BMC of this machine, or of another one."""

    def __init__(self, host: str, login: Login | None, settings: Mapping[str, str], place: str) -> None:
        self.name = host or "local"
        self._host, self._login, self._settings, self._place = host, login, settings, place
        self._command: list[str] = []

    def place_of(self, at: Mapping[str, Any]) -> str:
        """Return the field of `{ field = "power" }`."""
        check_keys(at, {"field": str})
        if at["field"] not in _FIELDS:
            raise ValueError(f"expected a field, one of {', '.join(_FIELDS)}, got {at['field']!r}")
        return str(at["field"])

    def open(self) -> None:
        """Find the program, and look at the address."""
        if self._host:
            check_private(HostPort(self._host, PORT), self._settings, self._place, TIMEOUT_S)
        freeipmi, ipmitool = shutil.which("ipmi-dcmi"), shutil.which("ipmitool")
        if freeipmi is not None and not self._host:
            self._command = [freeipmi, "--get-system-power-statistics"]
        elif ipmitool is not None:
            user = self._login.user if self._login else "admin"
            remote = ["-I", "lanplus", "-H", self._host, "-U", user, "-E"] if self._host else []
            self._command = [ipmitool, *remote, "dcmi", "power", "reading"]
        else:
            names = "ipmitool" if self._host else "ipmi-dcmi (freeipmi-tools) or ipmitool"
            raise MeterError(f"{self._place}: needs {names} on the PATH")

    def read(self, places: Sequence[str]) -> list[Raw]:
        """Return the fields of one call."""
        secret = {} if self._login is None else {"IPMI_PASSWORD": self._login.password}
        done = run_tool(self._command, TIMEOUT_S, secret)
        text = f"{done.output}\n{done.errors}"
        if done.status is None:
            raise ReadFailedError(f"ipmi {self.name}: no answer in {TIMEOUT_S:g} s")
        lower = text.lower()
        if any(word in lower for word in ("password", "unauthorized", "rakp", "privilege", "permission denied")):
            first = next((line for line in text.splitlines() if line.strip()), "")
            if self._host:
                raise LoginRefusedError(f"ipmi {self.name}: {shown(first)}")
            raise ReadFailedError(f"ipmi {self.name}: {shown(first)}; run as root, or give /dev/ipmi0 to your group")
        matches = (_LINE.fullmatch(line) for line in done.output.splitlines())
        named = {match[1].lower(): match[2] for match in matches if match is not None}
        if done.status != 0 or not named:
            first = next((line for line in text.splitlines() if line.strip()), "nothing")
            raise ReadFailedError(f"ipmi {self.name}: expected a power reading, got {shown(first)}")
        return [_value(place, named) for place in places]


def _value(field: str, named: Mapping[str, str]) -> Raw:
    """Return one field: a number without its unit (a time in seconds), or a text."""
    text = next((named[name] for name in _FIELDS[field] if name in named), None)
    if text is None or field in {"time", "state"}:
        return text
    number = re.match(r"([0-9]+) ?(milliseconds)?", text)
    if number is None:
        return None
    return int(number[1]) / 1000.0 if number[2] else int(number[1])


def _make(target: str, settings: Mapping[str, str], _table_settings: Mapping[str, Any], place: str) -> Ipmi:
    return Ipmi(target, read_login(place, settings), settings, place)


ENTRY = entry(TransportKind("ipmi", "a server's BMC by ipmi-dcmi or ipmitool", "", (*LOGIN, PUBLIC), 1.0, _make))
