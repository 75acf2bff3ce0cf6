"""Printing for people and for machines: JSON documents, tables that fit a terminal, numbers in field units."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING

import click

from bench.quantity import plain, rate, si

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

__all__ = [
    "console",
    "emit_json",
    "json_option",
    "plain",
    "print_table",
    "printable",
    "progress",
    "rate",
    "say",
    "short",
    "si",
    "warn",
]

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")


# What a terminal would obey instead of show; files that people hand on may hold it.
_CONTROL = {code: "\ufffd" for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}

_PREFIXES = ((1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"))


def printable(text: str) -> str:
    """Return the text with a mark in place of every control character but tab and line feed."""
    return text.translate(_CONTROL)


def emit_json(document: object) -> None:
    """Print one JSON document; dates and paths as text, a number that is not finite is refused."""
    click.echo(json.dumps(document, indent=2, default=str, allow_nan=False))


def console(*, err: bool = False, piped: int = 110) -> "Console":
    """Return a console for stdout or stderr, as wide as the terminal; where there is none, COLUMNS or `piped`."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    given = os.environ.get("COLUMNS", "")
    width = int(given) if given.isdecimal() and int(given) > 0 else piped
    return Console(file=stream, highlight=False, width=None if stream.isatty() else width)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    right: Iterable[int] = (),
    caption: str | None = None,
    piped: int = 110,
) -> None:
    """Print a table whose numbers stay whole; no cell is markup.

    right: indices of right-aligned columns, the numbers. piped: columns where there is no terminal and no COLUMNS.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from bench.cli.layout import fold, widths

    aligned, screen = set(right), console(piped=piped)
    cells = [[printable("" if cell is None else str(cell)) for cell in row] for row in (columns, *rows)]
    by_column = list(zip_longest(*cells, fillvalue=""))
    wished = sum(widths(by_column, aligned, sys.maxsize))
    for gap in (3, 2, 1):
        around = 2 + gap * (len(columns) - 1)
        chosen = widths(by_column, aligned, screen.width - around)
        if sum(chosen) + around <= screen.width and (gap < 3 or sum(chosen) == wished):
            break
    screen.width = max(screen.width, sum(chosen) + around)
    table = Table(
        title=None if title is None else Text(printable(title), style="table.title"),
        caption=None if caption is None else Text(printable(caption), style="table.caption"),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        pad_edge=False,
        padding=(0, int(gap > 1), 0, int(gap > 2)),  # right and left of a column, beside the rule's 1
    )
    heading, *body = ([fold(cell, width) for cell, width in zip(row, chosen, strict=False)] for row in cells)
    for index, (column, width) in enumerate(zip(heading, chosen, strict=True)):
        table.add_column(Text(column), justify="right" if index in aligned else "left", width=width, no_wrap=True)
    for row in body:
        table.add_row(*map(Text, row))
    screen.print(table)


def short(value: float) -> str:
    """Return four digits, and a prefix in place of the others of a long figure: 15.10M."""
    if abs(value) < 1e4:
        return plain(value)
    scale, prefix = next((one for one in _PREFIXES if abs(value) < 999.95 * one[0]), _PREFIXES[-1])
    return f"{plain(value / scale)}{prefix}"


def say(line: str = "") -> None:
    """Print one line for people, as plain text."""
    click.echo(printable(line))


def warn(line: str) -> None:
    """Print one line of warning on stderr."""
    click.echo(f"warning: {printable(line)}", err=True)


@contextmanager
def progress(*, quiet: bool) -> "Iterator[Progress]":
    """Show progress bars on stderr where it is a terminal and `quiet` is not asked for."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    bars = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=console(err=True),
        disable=quiet or not sys.stderr.isatty(),
        transient=True,
    )
    with bars:
        yield bars
