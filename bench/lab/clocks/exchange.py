"""Readings of a host's clock, each between two readings of the controller's clock."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.machine.identity import boot_id
from hardware_profiles.errors import InputError

COUNT = 8  # exchanges of one look at a clock


@dataclass(frozen=True, slots=True)
class HostClock:
    """Both clocks of a host at one moment."""

    utc_s: float  # [s since 1970]
    monotonic_s: float  # [s] `time.monotonic()`: the clock of a run's windows
    boot_id: str  # the monotonic clock starts anew with each boot


@dataclass(frozen=True, slots=True)
class Exchange:
    """One reading of a host's clock: it was taken after the request was sent and before the answer arrived."""

    sent_s: float  # [s, monotonic clock of the controller]
    received_s: float  # [s, monotonic clock of the controller]
    sent_utc_s: float  # [s since 1970, clock of the controller]
    host: HostClock
    controller_boot_id: str = ""


def exchanges_with(ask: Callable[[], Mapping[str, Any]], count: int = COUNT) -> list[Exchange]:
    """Return exchanges with a host; the first one, which may wait for the host's program, is left out.

    Parameters
    ----------
    ask
        Asks the host for the document of its clocks.
    count
        Number of exchanges.

    Raises
    ------
    InputError
        The host answers something else.
    """
    return [_exchange(ask) for _ in range(count + 1)][1:]


def _exchange(ask: Callable[[], Mapping[str, Any]]) -> Exchange:
    sent_utc_s, sent_s = time.time(), time.monotonic()
    answer = ask()
    received_s = time.monotonic()
    return Exchange(sent_s, received_s, sent_utc_s, _clock_of(answer), boot_id())


def _clock_of(answer: Mapping[str, Any]) -> HostClock:
    try:
        return HostClock(float(answer["utc_s"]), float(answer["monotonic_s"]), str(answer["boot_id"]))
    except (KeyError, TypeError, ValueError):
        raise InputError.at("clock of the host", expected="utc_s, monotonic_s and boot_id", got=answer) from None
