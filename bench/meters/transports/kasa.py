"""Plugs of TP-Link, Kasa and Tapo, whose protocols python-kasa speaks.

The library turns the milliwatts of newer hardware and the watts of older hardware into watts.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bench.meters.errors import MeterError
from bench.meters.points.meter import entry
from bench.meters.points.transport import Raw, Transport, TransportKind, check_keys
from bench.network.errors import ReadFailedError
from bench.network.http import LoginNeededError, LoginRefusedError
from bench.network.login import SETTINGS as LOGIN
from bench.network.login import Login, read_login
from bench.network.reach import SETTING as PUBLIC
from bench.network.reach import check_private, remote_of
from bench.network.tcp import HostPort

PORT = 9999  # of Kasa; a Tapo answers on 80
TIMEOUT_S = 5  # [s] of one update
_FIGURES = {
    "power": "current_consumption",
    "energy": "consumption_total",
    "volts": "voltage",
    "amps": "current",
}  # of python-kasa's energy module: W, kWh, V, A


class Kasa(Transport):
    """One plug, or one outlet of a strip."""

    def __init__(self, remote: HostPort, login: Login | None, settings: Mapping[str, str], place: str) -> None:
        self.name = remote.host if remote.port == PORT else f"{remote.host}:{remote.port}"
        self._remote, self._login, self._settings, self._place = remote, login, settings, place
        self._loop: asyncio.AbstractEventLoop | None = None
        self._plug: Any = None

    def place_of(self, at: Mapping[str, Any]) -> str:
        """Return the figure of `{ figure = "power" }`."""
        check_keys(at, {"figure": str})
        if at["figure"] not in _FIGURES:
            raise ValueError(f"expected a figure, one of {', '.join(_FIGURES)}, got {at['figure']!r}")
        return str(at["figure"])

    def open(self) -> None:
        """Connect."""
        try:
            import kasa
        except ImportError:
            raise MeterError(f"{self._place}: needs python-kasa: pip install 'perwatt[meters]'") from None
        check_private(self._remote, self._settings, self._place, TIMEOUT_S)
        login = None if self._login is None else kasa.Credentials(self._login.user, self._login.password)
        config = kasa.DeviceConfig(
            self._remote.host,
            timeout=TIMEOUT_S,
            port_override=None if self._remote.port == PORT else self._remote.port,
            credentials=login,
        )
        self._loop = asyncio.new_event_loop()
        self._plug = self._run(kasa.Device.connect(config=config))
        if kasa.Module.Energy not in self._plug.modules:
            raise MeterError(f"meter kasa:{self.name}: this device measures no power; use a plug that does")

    def read(self, places: Sequence[str]) -> list[Raw]:
        """Return the figures of one update."""
        import kasa

        self._run(self._plug.update())
        energy = self._plug.modules[kasa.Module.Energy]
        return [getattr(energy, _FIGURES[place]) for place in places]

    def close(self) -> None:
        """Disconnect."""
        if self._loop is not None and not self._loop.is_closed():
            if self._plug is not None:
                self._run(self._plug.disconnect())
            self._loop.close()

    def _run(self, work: Any) -> Any:
        import kasa

        assert self._loop is not None  # set by open
        try:
            return self._loop.run_until_complete(work)
        except kasa.AuthenticationError as error:
            kind = LoginNeededError if self._login is None else LoginRefusedError
            raise kind(f"{self.name}: {error}") from None
        except (kasa.KasaException, OSError, TimeoutError) as error:
            raise ReadFailedError(f"{self.name}: {error or 'no answer in time'}") from None


def _make(target: str, settings: Mapping[str, str], _table_settings: Mapping[str, Any], place: str) -> Kasa:
    return Kasa(remote_of(target, place, PORT), read_login(place, settings, user=""), settings, place)


ENTRY = entry(TransportKind("kasa", "a plug of TP-Link Kasa or Tapo", "10.0.0.3", (*LOGIN, PUBLIC), 5.0, _make))
