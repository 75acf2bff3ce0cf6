"""A log's text with the settings that it is read by."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from bench import limits
from bench.meters.logs.log import EmptyLogError, Log
from bench.meters.logs.rows import Ordered
from bench.meters.logs.steps import period_s, step_s
from bench.meters.logs.table import Table, is_heading
from bench.meters.logs.text import decode, lines, read_bytes
from hardware_profiles.errors import InputError, shown

HEAD_LINES = 400
_NO_TABLE = {
    "JSON": re.compile(r"\s*(?:\{|\[\s*[{\[])"),
    "a page of HTML or XML": re.compile(r"\s*<(?:\?xml|!doctype|html)", re.IGNORECASE),
}


class Source:
    """A log's text with the settings that it is read by.

    Raises
    ------
    InputError
        The file cannot be read, or a setting is wrong.
    EmptyLogError
        The file holds nothing but comments.
    """

    def __init__(self, path: Path, settings: Mapping[str, str]) -> None:
        self.path, self.settings = path, settings
        data = read_bytes(path)
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.text, self.encoding = decode(path, data, settings.get("encoding"))
        self._refuse_markup()
        skip = self._skip()
        # the first lines; those that `skip` leaves out are empty
        self.head = ["" if i < skip else line for i, line in enumerate(islice(lines(self.text), HEAD_LINES + skip))]
        if not any(line.strip() and not line.startswith("#") for line in self.head):
            raise EmptyLogError(f"{path}: expected lines of time and watts, got none")

    def refuse_malformed(self, malformed: Sequence[int], rows: int) -> None:
        """Refuse a log if more lines are unreadable than the method allows.

        Raises
        ------
        InputError
            More lines are unreadable.
        """
        if len(malformed) > limits.MALFORMED_LINES_FRAC * rows:
            first = next(islice(lines(self.text), malformed[0] - 1, None), "")
            raise InputError(
                f"{self.path}: line {malformed[0]}: expected time and watts, got {len(malformed)} of {rows} lines "
                f"unreadable, the first is {shown(first)}; settings that may help: time=NAME, column=NAME, "
                "time_format=%d.%m.%Y %H:%M:%S, decimal=comma, skip=LINES"
            )

    def refuse_second_header(self, malformed: Sequence[int], table: Table) -> None:
        """Refuse a log in which another header follows, because its columns may have moved.

        Raises
        ------
        InputError
            An unreadable line is a header.
        """
        if not malformed:
            return
        numbers = set(malformed)
        for number, line in enumerate(lines(self.text), 1):
            if number in numbers and is_heading(line, table.separator):
                expected = f"one header, {', '.join(table.names)} (cut the file before the second)"
                raise InputError.at(f"{self.path}: line {number}", expected=expected, got=line)

    def log(self, order: Ordered, malformed: Sequence[int], **read: Any) -> Log:
        """Return the log of rows in order, with what else was read."""
        return Log(
            samples=tuple(order.rows),
            malformed=tuple(malformed),
            clock_back=tuple(order.clock_back),
            sha256=self.sha256,
            encoding=self.encoding,
            period_s=period_s(order.rows),
            step_s=step_s(order.rows),
            **read,
        )

    def _refuse_markup(self) -> None:
        for name, start in _NO_TABLE.items():
            if start.match(self.text):
                expected = "a table with a time and a power on each line (jq makes one of JSON: @csv)"
                raise InputError.at(self.path, expected=expected, got=name)

    def _skip(self) -> int:
        stated = self.settings.get("skip", "0")
        if not (stated.isascii() and stated.isdecimal() and len(stated) < 7):
            raise InputError.at(self.path, "skip", expected="the number of lines before the header", got=stated)
        return int(stated)
