"""The error for a fault in a user's input, and the parts of its message."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Self, TypeVar

_LONGEST_GOT = 80
T = TypeVar("T")


class InputError(ValueError):
    """Files, keys, names or values of the user's input are faulty; `str()` has one line for each fault."""

    def __init__(self, *messages: str) -> None:
        self.faults = tuple(dict.fromkeys(" ".join(message.split()) for message in messages))
        super().__init__("\n".join(self.faults))

    @classmethod
    def at(
        cls,
        place: object,
        key: str | None = None,
        *,
        expected: str,
        got: object = ...,
        near: Iterable[str] = (),
    ) -> Self:
        """Return the error with the message "PLACE: key KEY: expected X, got Y (did you mean NAME?)".

        Parameters
        ----------
        place
            File or option.
        key
            Key within the file, or None.
        expected
            Description of a right value.
        got
            The value, or `...` if there is none; text is quoted.
        near
            Near names, printed as they are.
        """
        location = f"{place}: key {key}" if key else f"{place}"
        value = "nothing" if got is ... else shown(got)
        hint = ", ".join(near)
        tail = f" (did you mean {hint}?)" if hint else ""
        return cls(f"{location}: expected {expected}, got {value}{tail}")


class Faults:
    """A collector of the faults of an input, which are refused together."""

    def __init__(self) -> None:
        self._locations: dict[str, list[str]] = {}  # by the rest of the line

    @contextmanager
    def noted(self, location: str = "") -> Iterator[None]:
        """Note the faults that the body raises, and go on after it; a fault of several locations becomes one line."""
        try:
            yield
        except InputError as error:
            for fault in error.faults:
                at = location if fault.startswith(location) else ""
                self._locations.setdefault(fault.removeprefix(at), []).append(at)

    def attempt(self, make: Callable[[], T], otherwise: T) -> T:
        """Return what a function makes; if it raises InputError, note its faults and return something else."""
        with self.noted():
            return make()
        return otherwise

    def refuse(self) -> None:
        """Raise InputError with all faults, if there are any."""
        lines = []
        for text, locations in self._locations.items():
            others = len(set(locations)) - 1
            lines.append(f"{locations[0]} and {others} more{text}" if others else f"{locations[0]}{text}")
        if lines:
            raise InputError(*lines)


def near_names(name: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Return up to `count` known names that resemble `name`, the nearest first."""
    by_folded: dict[str, str] = {}
    for known_name in known:
        by_folded.setdefault(known_name.casefold(), known_name)
    close = get_close_matches(name.casefold(), by_folded, n=count, cutoff=0.55)
    return tuple(by_folded[folded] for folded in close)


def shown(value: object) -> str:
    """Return a value as an error message shows it: on one line, text quoted, cut when long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST_GOT else text[: _LONGEST_GOT - 1] + "…"
