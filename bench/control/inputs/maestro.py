"""A target in percent as MaestroOS publishes it every 30 s, from one broker or two: which messages count."""

import json
from dataclasses import dataclass

from bench.control.inputs.clocks import check_clock, stated_time
from hardware_profiles.errors import InputError, shown
from sites.control.model import LoadTarget

MOST_BYTES = 1024
SETTLE_S = 5.0  # [s] after an edge in which a change back to on is ignored


@dataclass(frozen=True, slots=True)
class Message:
    """One message that was understood."""

    percent: float
    stated_s: float  # [s, Unix] the publisher's time
    received_s: float  # [s, Unix]


def read_message(payload: bytes, received_s: float) -> Message:
    """Return a message such as `{"target": 100, "timestamp": 1778538975}`.

    Raises
    ------
    InputError
        It is longer than 1 KiB, is not such JSON, its target is not from 0 to 100, or its time is more than 24 hours
        off.
    """
    if len(payload) > MOST_BYTES:
        raise InputError(f"expected at most {MOST_BYTES} bytes, got {len(payload)}")
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InputError(f"expected JSON with target and timestamp, got {shown(payload[:60].decode(errors='replace'))}")
    percent = document.get("target")
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
        raise InputError(f"target: expected 0 to 100 percent, got {shown(percent)}")
    stated_s = stated_time(document.get("timestamp"), "timestamp")
    check_clock(stated_s, received_s, "timestamp")
    return Message(float(percent), stated_s, received_s)


class Signal:
    """What the messages of all brokers amount to. It reads no clock and no socket.

    Parameters
    ----------
    full_mw
        What 100 percent is.
    silence_s
        Time without a message after which any message counts again, whatever its own time [s].
    source
        Name of the source, as the target carries it.
    before
        The target of an earlier run, which holds until a message comes.
    """

    def __init__(self, full_mw: float, silence_s: float, source: str, before: tuple[LoadTarget, ...] = ()) -> None:
        self._full_mw, self._silence_s, self._source = full_mw, silence_s, source
        self._last: Message | None = None
        self._edge_s: float | None = None  # [s, Unix] of the last change between on and off
        self.targets = before[:1]

    @property
    def received_s(self) -> float | None:
        """When the last message that counts came in [s, Unix]."""
        return self._last.received_s if self._last else None

    def take(self, message: Message) -> bool:
        """Take a message of any broker; return whether it counts."""
        if self._last is not None and not self._is_newer(message, self._last):
            return False
        is_early = self._edge_s is not None and message.received_s - self._edge_s < SETTLE_S
        if self._is_off and message.percent > 0 and is_early:
            return False
        was_off = self._is_off
        self._last = message
        self._set(message)
        if self._is_off != was_off:
            self._edge_s = message.received_s
        return True

    @property
    def _is_off(self) -> bool:
        return bool(self.targets) and self.targets[0].limit_mw == 0.0

    def _is_newer(self, message: Message, last: Message) -> bool:
        """Two brokers carry the same message: the newest counts, of two with one time the lower."""
        if message.received_s - last.received_s > self._silence_s:
            return True  # the publisher's clock may have gone back
        if message.stated_s == last.stated_s:
            return message.percent < last.percent
        return message.stated_s > last.stated_s

    def _set(self, message: Message) -> None:
        limit_mw = self._full_mw * message.percent / 100.0
        if not self.targets and message.percent >= 100.0:  # on from a cold start changes nothing
            return
        if not self.targets or self.targets[0].limit_mw != limit_mw:
            self.targets = (LoadTarget(limit_mw, message.received_s, None, message.received_s, self._source),)
