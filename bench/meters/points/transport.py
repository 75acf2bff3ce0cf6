"""A transport: it reads the raw values of places from one device, and knows nothing of units."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Raw = int | float | str | None
"""A value as the device sends it; None if the device has the place but no value there."""


class Transport(ABC):
    """A connection to one device, used by one thread at a time."""

    name: str  # of the device, such as `10.0.0.9:502`

    @abstractmethod
    def place_of(self, at: Mapping[str, Any]) -> Any:
        """Return a place of a table in the transport's own form.

        Raises
        ------
        ValueError
            A key is missing, unknown or wrong; the text says what was expected and what came.
        """

    @abstractmethod
    def open(self) -> None:
        """Connect, or prepare to.

        Raises
        ------
        InputError
            A setting does not fit.
        MeterError
            A library or a program is missing.
        ReadFailedError
            The device cannot be reached.
        """

    @abstractmethod
    def read(self, places: Sequence[Any]) -> list[Raw]:
        """Return the raw values of places, in their order, from as few requests as possible.

        Raises
        ------
        ReadFailedError
            The answer is no reading.
        LoginRefusedError
            The device refuses the login: the meter does not ask again.
        """

    def servers(self, places: Sequence[Any]) -> int:  # noqa: ARG002 (most devices do not say it)
        """Return how many servers share what these places measure, as far as the device says it, else 1."""
        return 1

    def close(self) -> None:  # noqa: B027 (most transports hold nothing)
        """Release the connection and what it holds at the device."""


@dataclass(frozen=True, slots=True)
class TransportKind:
    """One transport, as the table of meter kinds lists it."""

    name: str
    summary: str
    example: str  # a target, such as `10.0.0.9`
    settings: tuple[str, ...]  # keys of the spec that are its own
    least_poll_s: float  # [s] shortest time between two readings that such a device takes well
    # make(target, settings, table_settings, place) returns the transport, not yet open
    make: Callable[[str, Mapping[str, str], Mapping[str, Any], str], Transport]


def check_keys(at: Mapping[str, Any], needed: Mapping[str, type], optional: Mapping[str, type] | None = None) -> None:
    """Check the keys of a place.

    Raises
    ------
    ValueError
        A key is missing, unknown or of another type.
    """
    known = {**needed, **(optional or {})}
    for key in at:
        if key not in known:
            raise ValueError(f"expected one of {', '.join(known)}, got {key}")
    for key, kind in known.items():
        if key not in at:
            if key in needed:
                raise ValueError(f"expected {key}, got nothing")
        elif not isinstance(at[key], kind) or isinstance(at[key], bool):
            raise ValueError(f"expected {key} as {_WORDS[kind]}, got {at[key]!r}")


def split_keys(text: str) -> tuple[str | int, ...]:
    """Return the keys of a path within a JSON document, `PowerControl/0/PowerConsumedWatts`."""
    return tuple(int(key) if key.isdigit() else key for key in text.split("/") if key)


def value_in(document: Any, keys: Sequence[str | int]) -> Any:
    """Return what stands within a JSON document, or None if nothing does."""
    for key in keys:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def value_at(document: Any, keys: Sequence[str | int]) -> Raw:
    """Return a number or text within a JSON document, or None if it has none there."""
    document = value_in(document, keys)
    return document if isinstance(document, int | float | str) and not isinstance(document, bool) else None


_WORDS = {int: "a whole number", str: "text", dict: "a table"}
