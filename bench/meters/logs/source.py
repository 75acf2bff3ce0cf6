"""The lines of a log, with the settings that it is read by."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from bench.meters.logs.log import EmptyLogError, Log, Samples
from bench.meters.logs.rows.order import Ordered
from bench.meters.logs.steps import period_s, step_s
from bench.meters.logs.text import Text
from hardware_profiles.errors import InputError

HEAD_LINES = 400
_NO_TABLE = {
    "JSON": re.compile(r"\s*(?:\{|\[\s*[{\[])"),
    "a page of HTML or XML": re.compile(r"\s*<(?:\?xml|!doctype|html)", re.IGNORECASE),
}


class Source:
    """The lines of a log, with the settings that it is read by.

    Raises
    ------
    InputError
        The file cannot be read, or a setting is wrong.
    EmptyLogError
        The file holds nothing but comments.
    """

    def __init__(self, path: Path, settings: Mapping[str, str], file: BinaryIO) -> None:
        self.path, self.settings = path, settings
        self._file = file
        self._text = Text(path, file, settings.get("encoding"))
        self._refuse_markup()
        skip = self._skip()
        self._waiting: list[list[str]] = []  # blocks that were read for the head
        head: list[str] = []
        for block in self._text.blocks(file):
            self._waiting.append(block)
            head += block
            if len(head) >= HEAD_LINES + skip:
                break
        self._has_whole_head = len(head) >= HEAD_LINES + skip
        # the first lines; those that `skip` leaves out are empty
        self.head = [""] * min(skip, len(head)) + head[skip : HEAD_LINES + skip]
        if not any(line.strip() and not line.startswith("#") for line in self.head):
            raise EmptyLogError(f"{path}: expected lines of time and watts, got none")

    def continues(self, file: BinaryIO) -> bool:
        """Return whether a file is the same log, grown since it was read; its layout is then known."""
        self._file = file
        return self._has_whole_head and self._text.continues(file)

    def blocks(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the lines that were not yielded before, in blocks, each with the number of its first line."""
        waiting, self._waiting = self._waiting, []
        number = self._text.lines_read + 1 - sum(map(len, waiting))
        for block in waiting:
            yield number, block
            number += len(block)
        for block in self._text.blocks(self._file):
            yield number, block
            number += len(block)

    def line(self, number: int) -> str:
        """Return the line of a number, read anew."""
        text = Text(self.path, self._file, self.settings.get("encoding"))
        for block in text.blocks(self._file):
            if text.lines_read >= number:
                return block[number - text.lines_read - 1]
        return ""

    def log(self, order: Ordered, malformed: tuple[int, ...], **read: Any) -> Log:
        """Return the log of rows in order, with what else was read."""
        missing = np.isinf(order.rows.watts)
        power_w = np.where(missing, np.nan, order.rows.watts) if missing.any() else order.rows.watts
        samples = Samples(order.rows.times_s, power_w)
        return Log(
            samples=samples,
            malformed=malformed,
            clock_back=order.clock_back,
            sha256=self._text.sha256,
            encoding=self._text.encoding,
            period_s=period_s(samples),
            step_s=step_s(samples),
            **read,
        )

    def _refuse_markup(self) -> None:
        for name, pattern in _NO_TABLE.items():
            if pattern.match(self._text.start):
                expected = "a table with a time and a power on each line (jq makes one of JSON: @csv)"
                raise InputError.at(self.path, expected=expected, got=name)

    def _skip(self) -> int:
        stated = self.settings.get("skip", "0")
        if not (stated.isascii() and stated.isdecimal() and len(stated) < 7):
            raise InputError.at(self.path, "skip", expected="the number of lines before the header", got=stated)
        return int(stated)
