"""Replies of a miner, and the readings that their values make: parsers of families need nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from bench.miners import values
from bench.miners.parsing.repair import read_json
from bench.miners.parsing.text_form import is_text_form, read_text_form
from bench.miners.record import (
    Averaging,
    FanReading,
    Place,
    PowerKind,
    PowerReading,
    RateBasis,
    RateReading,
    TemperatureReading,
)
from bench.network.errors import ReadFailedError

_REFUSED = ("E", "F")  # error and fatal, as cgminer writes them


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: the bytes as they came, and what they say."""

    name: str  # the request, as raw keys show it: `summary`
    raw: bytes = b""
    document: Any = None
    repairs: tuple[str, ...] = ()  # the defects of its JSON
    fault: str = ""  # why there is no document

    @classmethod
    def of(cls, name: str, raw: bytes) -> "Reply":
        """Return the reply that bytes say; a refusal by the miner is a fault.

        Raises
        ------
        ReadFailedError
            The bytes are neither JSON, whole or repaired, nor the text form of cgminer.
        """
        document: Any = None
        repairs: tuple[str, ...] = ()
        if is_text_form(raw):
            document = read_text_form(raw)
        else:
            try:
                document, repairs = read_json(raw)
            except ReadFailedError as error:
                raise ReadFailedError(f"{name}: {error}", error.code) from None
        return cls(name, raw, document, repairs, _refusal(document))


def _refusal(document: Any) -> str:
    """Return the message of a reply that refuses its command, in any of the forms of the families."""
    if not isinstance(document, dict):
        return ""
    status = document.get("STATUS")
    row = status[0] if isinstance(status, list) and status and isinstance(status[0], dict) else document
    if row.get("STATUS") in _REFUSED:
        return values.text(row.get("Msg")) or "refused"
    code = document.get("code")  # Whatsminer 3
    if isinstance(code, int) and code < 0:
        return f"refused with code {code} {values.text(document.get('msg'))}".rstrip()
    return ""


class RateKey(NamedTuple):
    """A key that holds a rate, and what the rate is."""

    key: str
    unit: str  # unless the value has its own
    averaging: Averaging
    window_s: float | None
    basis: RateBasis


class Section:
    """One object of a reply, whose values become readings; a key that is missing gives nothing."""

    def __init__(self, name: str, values_: Any) -> None:
        self.name = name
        self.values: Mapping[str, Any] = values_ if isinstance(values_, dict) else {}

    def get(self, key: str) -> Any:
        """Return the value as sent, or None."""
        return self.values.get(key)

    def text(self, *keys: str) -> str:
        """Return the first text that is not empty."""
        return next((word for key in keys if (word := values.text(self.get(key)))), "")

    def number(self, *keys: str) -> float | None:
        """Return the first number, without its unit."""
        return next((read for key in keys if (read := values.number(self.get(key))) is not None), None)

    def whole(self, *keys: str) -> int | None:
        """Return the first count."""
        return next((read for key in keys if (read := values.whole(self.get(key))) is not None), None)

    def truth(self, key: str) -> bool | None:
        """Return a truth."""
        return values.truth(self.get(key))

    def rate_h_s(self, key: str, unit: str) -> float | None:
        """Return a rate [hash/s]."""
        return values.rate_h_s(self.get(key), unit)

    def rates(self, keys: Iterable[RateKey]) -> tuple[RateReading, ...]:
        """Return a reading for each key that holds a rate."""
        return tuple(
            RateReading(rate, row.averaging, row.window_s, row.basis, self.raw_key(row.key), self.text(row.key))
            for row in keys
            if (rate := self.rate_h_s(row.key, row.unit)) is not None
        )

    def powers(self, keys: Iterable[tuple[str, PowerKind]]) -> tuple[PowerReading, ...]:
        """Return a reading for each key that holds a power."""
        return tuple(
            PowerReading(power, kind, self.raw_key(key), self.text(key))
            for key, kind in keys
            if (power := values.power_w(self.get(key))) is not None
        )

    def temperatures(self, keys: Iterable[tuple[str, Place]]) -> tuple[TemperatureReading, ...]:
        """Return a reading for each key that holds a temperature; 0 and less than -50 mean that there is no sensor."""
        return tuple(
            TemperatureReading(temperature, place, self.raw_key(key))
            for key, place in keys
            if (temperature := self.number(key)) is not None and temperature != 0.0 and temperature > -50.0
        )

    def fans(self, keys: Iterable[str]) -> tuple[FanReading, ...]:
        """Return a reading for each key that holds a speed [1/min]."""
        return tuple(
            FanReading(speed, None, self.raw_key(key))
            for key in keys
            if (speed := self.number(key)) is not None and speed >= 0.0
        )

    def raw_key(self, key: str) -> str:
        """Return the name of a figure: command and key."""
        return f"{self.name}: {key}"


Replies = Mapping[str, Reply]


def section(replies: Replies, name: str, *keys: str | int) -> Section:
    """Return the object at a path of keys in a reply; it is empty if there is none.

    Parameters
    ----------
    replies
        Replies by name.
    name
        Name of the reply.
    keys
        Keys and positions, such as `"SUMMARY", 0`.
    """
    return Section(name, _inside(replies, name, *keys))


def rows(replies: Replies, name: str, *keys: str | int) -> tuple[Section, ...]:
    """Return the objects of the list at a path of keys in a reply."""
    listed = _inside(replies, name, *keys)
    if not isinstance(listed, list):
        return ()
    return tuple(Section(f"{name}[{index}]", row) for index, row in enumerate(listed) if isinstance(row, dict))


def _inside(replies: Replies, name: str, *keys: str | int) -> Any:
    reply = replies.get(name)
    value = reply.document if reply is not None and not reply.fault else None
    for key in keys:
        try:
            value = value[key]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def notes(replies: Replies) -> tuple[str, ...]:
    """Return a warning for each reply that is missing or was repaired."""
    missing = [f"{reply.name}: not read: {reply.fault}" for reply in replies.values() if reply.fault]
    repaired = [
        f"{reply.name}: the reply is not valid JSON and was repaired: {', '.join(reply.repairs)}"
        for reply in replies.values()
        if reply.repairs
    ]
    return (*missing, *repaired)
