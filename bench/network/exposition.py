"""The Prometheus text exposition format: samples with their labels.

References
----------
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

# One pattern for a whole line would take minutes over a hostile one.
_NAME = re.compile(r"\s*([A-Za-z_:][A-Za-z0-9_:]*)[ \t]*")
_LABEL = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|(?=\}))')
_END = re.compile(r"\s*\}")
_ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Sample(NamedTuple):
    """One line of a page."""

    name: str
    labels: Mapping[str, str]
    value: float  # not a number and infinite are values of the format


def samples(page: str) -> Iterator[Sample]:
    """Yield the samples of a page; comments and damaged lines are passed over, as the format's own readers do."""
    for line in page.splitlines():
        name = _NAME.match(line)
        labels, position = _labels(line, name.end()) if name is not None else (None, 0)
        words = line[position:].split(maxsplit=2)  # a value, and a time that is not read
        if name is None or labels is None or len(words) not in {1, 2}:
            continue
        try:
            value = float(words[0])
        except ValueError:
            continue
        yield Sample(name[1], labels, value)


def _labels(line: str, position: int) -> tuple[dict[str, str] | None, int]:
    """Return the labels of a line from a position on, None if they are damaged, and the position after them."""
    labels: dict[str, str] = {}
    if not line.startswith("{", position):
        return labels, position
    position += 1
    while (end := _END.match(line, position)) is None:
        match = _LABEL.match(line, position)
        if match is None:
            return None, position
        labels[match[1]] = re.sub(r"\\.", lambda escape: _ESCAPES.get(escape[0], escape[0]), match[2])
        position = match.end()
    return labels, end.end()
