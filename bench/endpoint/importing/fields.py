"""Typed access to the keys of another tool's document; each fault is one line that names the key."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from bench.credentials import scrub_text
from bench.results.text import encodable
from hardware_profiles.errors import InputError

LARGEST = 1e15  # no rate, time, count or energy of a run is larger
_LONGEST_TEXT = 200  # characters of a name that a record keeps


class Fields:
    """A table of a document, with its place for messages.

    Parameters
    ----------
    table
        The table.
    file
        Path of the file, and the line where a line is a document.
    path
        Keys that lead to the table.
    """

    def __init__(self, table: Mapping[str, Any], file: str, path: str = "") -> None:
        self._table, self.file, self._path = table, file, path

    def __contains__(self, key: str) -> bool:
        """Return whether the key has a value other than null."""
        return self._table.get(key) is not None

    def name(self, key: str) -> str:
        """Return the key with the keys that lead to it."""
        return f"{self._path}.{key}" if self._path else key

    def number(self, key: str) -> float | None:
        """Return a number of at least 0, or None where the key is absent or null.

        Raises
        ------
        InputError
            The value is text, negative, not finite or larger than any run has.
        """
        value = self._table.get(key)
        if value is None:
            return None
        sound = type(value) in (int, float) and 0.0 <= value <= LARGEST
        if not sound:
            raise self._refused(key, f"a number from 0 to {LARGEST:g}", value)
        return float(value)

    def needed(self, key: str) -> float:
        """Return a number above 0.

        Raises
        ------
        InputError
            It is absent, 0, or no number.
        """
        value = self.number(key)
        if not value:
            raise self._refused(key, "a number above 0", ... if value is None else value)
        return value

    def count(self, key: str) -> int | None:
        """Return a whole number of at least 0, or None where the key is absent or null.

        Raises
        ------
        InputError
            The value is something else.
        """
        value = self.number(key)
        if value is not None and not value.is_integer():
            raise self._refused(key, "a whole number", value)
        return None if value is None else int(value)

    def text(self, key: str) -> str | None:
        """Return a text without credentials and cut when it is long; None for anything else."""
        value = self._table.get(key)
        if not isinstance(value, str) or not value.strip():
            return None
        return str(encodable(scrub_text(" ".join(value.split()))))[:_LONGEST_TEXT]

    def only_text(self, key: str) -> str | None:
        """Return a text, or the only one of a list; None for anything else."""
        value = self._table.get(key)
        only = value[0] if isinstance(value, list) and len(value) == 1 else value
        return Fields({key: only}, self.file).text(key)

    def flag(self, key: str) -> bool | None:
        """Return whether a flag is set, also one written as 0 or 1; None for anything else."""
        value = self._table.get(key)
        return bool(value) if isinstance(value, bool) or value in (0, 1) else None

    def rate(self, key: str) -> float | None:
        """Return a rate above 0; None where it has no limit (`inf`), or is a word.

        Raises
        ------
        InputError
            The value is no rate.
        """
        value = self._table.get(key)
        if isinstance(value, str) or value == math.inf:
            return None
        return self.number(key) or None

    def inner(self, key: str) -> "Fields":
        """Return an inner table of what is only described; anything else counts as an empty one."""
        value = self._table.get(key)
        return Fields(value if isinstance(value, Mapping) else {}, self.file, self.name(key))

    def inner_tables(self, key: str) -> "list[Fields]":
        """Return the tables of a list of what is only described; anything else counts as an empty list."""
        value = self._table.get(key)
        items = value if isinstance(value, list) else []
        return [Fields(item, self.file, self.name(key)) for item in items if isinstance(item, Mapping)]

    def table(self, key: str) -> "Fields | None":
        """Return an inner table, or None where the key is absent or null.

        Raises
        ------
        InputError
            The value is no table.
        """
        value = self._table.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self._refused(key, "a table", value)
        return Fields(value, self.file, self.name(key))

    def needed_table(self, key: str) -> "Fields":
        """Return an inner table.

        Raises
        ------
        InputError
            It is absent, or no table.
        """
        table = self.table(key)
        if table is None:
            raise self._refused(key, "a table", ...)
        return table

    def tables(self, key: str) -> "Iterator[Fields]":
        """Yield the tables of a list; an absent list has none.

        Raises
        ------
        InputError
            The value is no list, or one of its items is no table.
        """
        value = self._table.get(key)
        if value is None:
            return
        if not isinstance(value, list):
            raise self._refused(key, "a list", value)
        for index, item in enumerate(value):
            if not isinstance(item, Mapping):
                raise self._refused(f"{key}[{index}]", "a table", item)
            yield Fields(item, self.file, f"{self.name(key)}[{index}]")

    def refused(self, key: str, expected: str) -> InputError:
        """Return the error for a value that the format does not allow."""
        return self._refused(key, expected, self._table.get(key, ...))

    def _refused(self, key: str, expected: str, got: object) -> InputError:
        return InputError.at(self.file, self.name(key), expected=expected, got=got)
