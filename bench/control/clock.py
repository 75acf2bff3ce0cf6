"""The clock of the controller: that of this machine, or the simulated one of a twin."""

import asyncio
import time
from typing import Protocol

from bench.errors import RunFailedError
from bench.network.errors import ReadFailedError
from bench.network.http import Device, get_number
from bench.network.url import parse_url
from hardware_profiles.errors import InputError

_ANSWER_S = 5.0  # [s] for the page of a simulated clock
_POLL_S = 0.02  # [s, real time] between looks at a clock that stands still until it is stepped
_NAP_S = 1.0  # [s] longest sleep, after which the clock is looked at again
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Clock(Protocol):
    """A clock that the controller reads and sleeps by."""

    simulated: bool

    def now_s(self) -> float:
        """Return the time [s, Unix]."""
        ...

    async def sleep_until(self, at_s: float) -> None:
        """Return when the clock shows a time [s, Unix], or has passed it."""
        ...


class WallClock:
    """The clock of this machine."""

    simulated = False

    def now_s(self) -> float:
        """Return the time [s, Unix]."""
        return time.time()

    async def sleep_until(self, at_s: float) -> None:
        """Return when the clock shows a time [s, Unix]; a clock that is set back lengthens the wait by a tick."""
        for rest_s in iter(lambda: at_s - time.time(), None):
            if rest_s <= 0.0:
                return
            await asyncio.sleep(min(rest_s, _NAP_S))


class TwinClock:
    """The simulated clock of a twin, by its page `/clock`.

    Between two looks at the page the time goes on at the speed that it states; a clock without speed is looked at each
    time.

    Parameters
    ----------
    url
        Address of the page on this machine.

    Raises
    ------
    InputError
        It is not on this machine, or it is no such page.
    """

    simulated = True

    def __init__(self, url: str) -> None:
        parsed = parse_url(url, "--clock", "no option: a clock needs none")
        if parsed.host not in _LOOPBACK:
            raise InputError.at("--clock", expected="the clock page of a twin on this machine", got=url)
        self._device = Device(parsed.host, parsed.port)
        self._path = parsed.path or "/clock"
        try:
            self._look()
        except ReadFailedError as error:
            raise InputError(f"--clock: {error}") from None

    def now_s(self) -> float:
        """Return the time [s, Unix]; raise RunFailedError if the twin is gone."""
        if self._speed == 0.0 or time.monotonic() - self._looked_s > _NAP_S:
            try:
                self._look()
            except ReadFailedError as error:
                raise RunFailedError(f"--clock: the twin does not answer any more: {error}") from None
        return self._shown_s + (time.monotonic() - self._looked_s) * self._speed

    async def sleep_until(self, at_s: float) -> None:
        """Return when the clock shows a time [s, Unix], or has passed it."""
        for rest_s in iter(lambda: at_s - self.now_s(), None):
            if rest_s <= 0.0:
                return
            await asyncio.sleep(min(rest_s / self._speed, _NAP_S) if self._speed else _POLL_S)

    def _look(self) -> None:
        document = self._device.get_json(self._path, _ANSWER_S)
        place = self._device.url(self._path)
        self._shown_s, self._speed = get_number(document, place, "now_s"), get_number(document, place, "speed")
        self._looked_s = time.monotonic()


def open_clock(url: str | None) -> Clock:
    """Return the clock of this machine, or that of a twin at an address."""
    return WallClock() if url is None else TwinClock(url)
