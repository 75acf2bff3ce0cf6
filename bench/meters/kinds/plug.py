"""Smart plugs over HTTP: Shelly (both generations) and Tasmota, polled on the local network.

References
----------
Shelly Gen2+ RPC `Switch.GetStatus` (apower, voltage, current, aenergy); Shelly Gen1 `/status` (meters);
Tasmota `Status 8` (StatusSNS.ENERGY).
"""

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from bench.meters.errors import MeterError
from bench.meters.http import OtherAnswerError, get_json, get_number, parse_host
from bench.meters.protocol import Found, Meter, MeterInfo, MeterKind, MeterKindEntry, MeterOptions, Tier
from bench.meters.settings import Stated, read_stated
from bench.meters.stream import PolledMeter, ReadFailedError
from hardware_profiles.errors import InputError

TIMEOUT_S = 2.0  # [s] over one whole request


class Plug(PolledMeter):
    """A wall meter that reports its present power [W] over HTTP."""

    kind_name = "plug"
    cheap_reads = False

    def __init__(self, host: str, port: int, stated: Stated, clock: Callable[[], float] = time.monotonic) -> None:
        name = f"{self.kind_name}:{host}" + (f":{port}" if port != 80 else "")
        super().__init__(stated.power_meter(name, domain=name, scope="all that is plugged in"), clock)
        self.host, self.port = host, port

    def connect(self) -> MeterInfo:
        """Read once, so that a wrong address is found before the run."""
        try:
            self.read_once()
        except ReadFailedError as error:
            raise self._unusable(error) from None
        return self._info

    @abstractmethod
    def read_once(self) -> tuple[float, tuple[object, ...] | None, tuple[str, ...]]:
        """Return power [W], the rest of the answer as the token, no codes."""

    def ask(self, path: str) -> Any:
        """Return the JSON answer to one request."""
        return get_json(self.host, self.port, path, TIMEOUT_S)

    def _unusable(self, fault: ReadFailedError | None) -> MeterError:
        return MeterError(
            f"meter {self._info.name}: {fault}; check the address in a browser and that local HTTP access is on, "
            "without a password"
        )


class Shelly(Plug):
    """A Shelly plug or meter of the first (`/status`) or a later generation (`/rpc/...`)."""

    kind_name = "shelly"
    _READINGS = (
        ("/rpc/Switch.GetStatus?id=0", ("apower",)),
        ("/rpc/PM1.GetStatus?id=0", ("apower",)),
        ("/rpc/EM1.GetStatus?id=0", ("act_power",)),
        ("/status", ("meters", 0, "power")),
    )

    def connect(self) -> MeterInfo:
        """Find out which of the known requests this device answers."""
        fault: ReadFailedError | None = None
        for path, keys in self._READINGS:
            try:
                get_number(self.ask(path), path, *keys)
            except OtherAnswerError as error:
                fault = error
            except ReadFailedError as error:  # no Shelly answers like that, and each request may cost a timeout
                fault = error
                break
            else:
                self._path, self._keys = path, keys
                return self._info
        raise self._unusable(fault)

    def read_once(self) -> tuple[float, tuple[object, ...] | None, tuple[str, ...]]:
        """Return power [W] and the other electrical figures of the same answer."""
        answer = self.ask(self._path)
        power_w = get_number(answer, self._path, *self._keys)
        part = answer["meters"][0] if self._path == "/status" else answer
        if part.get("is_valid") is False:
            raise ReadFailedError(f"{self._path}: the meter marks its reading as invalid", "bad_sample")
        return power_w, _token(part, ("voltage", "current", "pf", "aenergy", "total", "timestamp")), ()


class Tasmota(Plug):
    """A plug with the Tasmota firmware."""

    kind_name = "tasmota"
    _PATH = "/cm?cmnd=Status%208"

    def read_once(self) -> tuple[float, tuple[object, ...] | None, tuple[str, ...]]:
        """Return power [W] and the other electrical figures of the same answer."""
        answer = self.ask(self._PATH)
        power_w = get_number(answer, self._PATH, "StatusSNS", "ENERGY", "Power")
        energy = answer["StatusSNS"]["ENERGY"]
        return power_w, _token(energy, ("Total", "ApparentPower", "ReactivePower", "Voltage", "Current")), ()


def _token(part: dict[str, Any], keys: tuple[str, ...]) -> tuple[object, ...] | None:
    """Return the other values that change with each measurement of the plug, or None if it reports only watts."""
    return tuple(str(part[key]) for key in keys if key in part) or None


def _maker(kind: type[Plug]) -> Callable[[str, dict[str, str], MeterOptions], Meter]:
    def make(target: str, settings: dict[str, str], options: MeterOptions) -> Meter:
        place = f"--meter {kind.kind_name}"
        if not target:
            raise InputError.at(place, expected=f"an address, as in {kind.kind_name}:192.168.1.20")
        stated = read_stated(f"{kind.kind_name}:{target}", settings, options, boundary="wall")
        return kind(*parse_host(target, place), stated)

    return make


def _finder(name: str) -> Callable[[], list[Found]]:
    def find() -> list[Found]:
        return [
            Found(
                name,
                MeterKind.POWER,
                "wall",
                Tier.C,
                usable=False,
                reason="no address was stated; plugs are not searched for",
                cure=f"perwatt run --meter {name}:HOST (add ,accuracy=1% if the maker states it)",
                spec=f"{name}:HOST",
            )
        ]

    return find


SHELLY = MeterKindEntry("shelly", "a Shelly plug or meter over HTTP", _maker(Shelly), _finder("shelly"))
TASMOTA = MeterKindEntry("tasmota", "a Tasmota plug over HTTP", _maker(Tasmota), _finder("tasmota"))
