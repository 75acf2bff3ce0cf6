"""Printing for people and for machines: JSON documents, tables that fit a terminal, numbers in field units."""

import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")

_PREFIXES = {-4: "p", -3: "n", -2: "µ", -1: "m", 0: "", 1: "k", 2: "M", 3: "G", 4: "T", 5: "P", 6: "E"}
_RATE_UNITS = {"hash/s": "H/s", "flop/s": "FLOP/s", "byte/s": "B/s", "token/s": "tok/s"}


def emit_json(document: object) -> None:
    """Print one JSON document; dates and paths as text, a number that is not finite is refused."""
    click.echo(json.dumps(document, indent=2, default=str, allow_nan=False, ensure_ascii=False))


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
    """Print a table; `right` are the indices of right-aligned columns. Cells are text, never markup."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    aligned = set(right)
    table = Table(
        title=title,
        caption=caption,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        pad_edge=False,
    )
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index in aligned else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console().print(table)


def say(line: str = "") -> None:
    """Print one line for people, as plain text."""
    click.echo(line)


def warn(line: str) -> None:
    """Print one line of warning on stderr."""
    click.echo(f"warning: {line}", err=True)


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


def si(value: float | None, unit: str, digits: int = 4) -> str:
    """Return a figure with an SI prefix: `si(4.2e12, "B/s")` is `4.2 TB/s`; None is a dash."""
    if value is None:
        return "-"
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    step = max(min(math.floor(math.log10(abs(value)) / 3 + 1e-12), max(_PREFIXES)), min(_PREFIXES))
    scaled = value / 1000**step
    if abs(float(f"{scaled:.{digits}g}")) >= 1000 and step < max(_PREFIXES):
        step, scaled = step + 1, scaled / 1000
    return f"{scaled:.{digits}g} {_PREFIXES[step]}{unit}"


def rate(value: float | None, unit: str) -> str:
    """Return a rate in the field's unit: hash/s as H/s with a prefix."""
    return si(value, _RATE_UNITS.get(unit, unit))


def plain(value: float | None, digits: int = 4) -> str:
    """Return a number with thousands separated and `digits` significant digits; None is a dash."""
    if value is None:
        return "-"
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"
