"""Printing for people and for machines: JSON documents, tables that fit a terminal, numbers in field units."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
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
    "si",
    "warn",
]

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")


# What a terminal would obey instead of show; files that people hand on may hold it.
_CONTROL = {code: "\ufffd" for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}


def printable(text: str) -> str:
    """Return the text with a mark in place of every control character but tab and line feed."""
    return text.translate(_CONTROL)


def emit_json(document: object) -> None:
    """Print one JSON document; dates and paths as text, a number that is not finite is refused."""
    click.echo(json.dumps(document, indent=2, default=str, allow_nan=False))


def console(*, err: bool = False) -> "Console":
    """Return a console for stdout or stderr; its width is the terminal's, or 110 columns where there is none."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    return Console(file=stream, highlight=False, width=None if stream.isatty() else 110)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    right: Iterable[int] = (),
    caption: str | None = None,
) -> None:
    """Print a table; `right` are the indices of right-aligned columns. All of it is text, never markup."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    aligned = set(right)
    table = Table(
        title=None if title is None else Text(printable(title), style="table.title"),
        caption=None if caption is None else Text(printable(caption), style="table.caption"),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        pad_edge=False,
    )
    for index, column in enumerate(columns):
        table.add_column(Text(column), justify="right" if index in aligned else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else printable(str(cell))) for cell in row))
    console().print(table)


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
