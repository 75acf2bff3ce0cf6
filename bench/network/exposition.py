"""The Prometheus text exposition format: samples with their labels.

References
----------
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_SAMPLE = re.compile(r"\s*([A-Za-z_:][A-Za-z0-9_:]*)[ \t]*(?:\{(.*)\})?[ \t]*(\S+)(?:[ \t]+\S+)?\s*")
_LABEL = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Sample(NamedTuple):
    """One line of a page."""

    name: str
    labels: Mapping[str, str]
    value: float  # not a number and infinite are values of the format


def samples(page: str) -> Iterator[Sample]:
    """Yield the samples of a page; comments and damaged lines are passed over, as the format's own readers do."""
    for line in page.splitlines():
        match = _SAMPLE.fullmatch(line)
        if match is None:
            continue
        labels = _labels(match[2] or "")
        try:
            value = float(match[3])
        except ValueError:
            continue
        if labels is not None:
            yield Sample(match[1], labels, value)


def _labels(text: str) -> dict[str, str] | None:
    """Return the labels between the braces, or None if they are damaged."""
    labels: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _LABEL.match(text, position)
        if match is None:
            return None
        labels[match[1]] = re.sub(r"\\.", lambda escape: _ESCAPES.get(escape[0], escape[0]), match[2])
        position = match.end()
    return labels
