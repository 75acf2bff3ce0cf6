"""The error that says what a person wrote wrongly, on one line."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST_GOT = 80


class InputError(ValueError):
    """A file, key, name or value given by a person is wrong; `str()` is the whole message, on one line."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))

    @classmethod
    def at(
        cls,
        place: object,
        key: str | None = None,
        *,
        expected: str,
        got: object = ...,
        near: Iterable[str] = (),
    ) -> "InputError":
        """Build the error from its place (file, option), key, what was expected, what was got, near names.

        `got` left out means that nothing was given; text is shown quoted. `near` is shown as given.
        """
        where = f"{place}: key {key}" if key else f"{place}"
        had = "nothing" if got is ... else shown(got)
        hint = ", ".join(near)
        tail = f" (did you mean {hint}?)" if hint else ""
        return cls(f"{where}: expected {expected}, got {had}{tail}")


def near_names(name: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Return up to `count` known names that look like `name`, the nearest first."""
    by_folded: dict[str, str] = {}
    for known_name in known:
        by_folded.setdefault(known_name.casefold(), known_name)
    close = get_close_matches(name.casefold(), by_folded, n=count, cutoff=0.55)
    return tuple(by_folded[folded] for folded in close)


def shown(value: object) -> str:
    """Return a value as an error message shows it: on one line, text quoted, cut when long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST_GOT else text[: _LONGEST_GOT - 1] + "…"
