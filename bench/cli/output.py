"""Printing for people and for programs: lines, JSON documents, progress bars, numbers in the field's units."""

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from bench.credentials import scrub_message
from bench.quantity import j_per_th, j_per_th_with_unit, plain, quantity, quantity_range, rate, short, si

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress

__all__ = [
    "counted",
    "emit_json",
    "emit_schema",
    "emit_text",
    "fault",
    "j_per_th",
    "j_per_th_with_unit",
    "plain",
    "printable",
    "progress",
    "quantity",
    "quantity_range",
    "rate",
    "say",
    "short",
    "si",
    "terminal_width",
    "warn",
]

# Control characters, which a terminal would obey instead of showing, and marks that turn the direction of the text
# after them; files that people pass on may hold some. Half a surrogate cannot be printed.
_TURNS = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_CONTROL = {
    code: "\ufffd"
    for code in (*range(32), *range(0x7F, 0xA0), *_TURNS, *range(0xD800, 0xE000))
    if chr(code) not in "\t\n"
}
_LABEL = re.compile(r"\s*(?:note: |\S+\s{2,})?")


def printable(text: str) -> str:
    """Return the text with a mark in place of every character that a terminal obeys, but tab and line feed."""
    return text.translate(_CONTROL)


def emit_json(document: object) -> None:
    """Print one JSON document; dates and paths become text, and a number that is not finite is refused."""
    click.echo(printable(json.dumps(document, indent=2, default=str, allow_nan=False)))


def emit_text(text: str) -> None:
    """Print text that a program reads (CSV, TOML, Markdown): its lines are never wrapped."""
    click.echo(printable(text))


def emit_schema(text: str, out: "Path | None") -> None:
    """Print the schema of a file of users, or write it to a new file.

    Raises
    ------
    InputError
        There is such a file.
    RunFailedError
        It cannot be written.
    """
    from bench.errors import not_written
    from sites.files import check_new, write_new

    if out is None:
        emit_text(text.rstrip())
        return
    check_new(out)
    try:
        write_new(out, text.encode())
    except OSError as error:
        raise not_written(out, error) from error
    say(f"written: {out}")
    say(f"first line of a file that an editor checks: #:schema ./{out.name}")


def terminal_width(piped: int) -> int:
    """Return the width of stdout [cells]: COLUMNS, else that of the terminal, else `piped`."""
    return shutil.get_terminal_size((piped, 24)).columns if sys.stdout.isatty() else _columns_set() or piped


def _columns_set() -> int:
    text = os.environ.get("COLUMNS", "")
    return int(text) if text.isdecimal() else 0


def counted(number: int, noun: str) -> str:
    """Return a number with its noun in the singular or plural: 1 site, 2 sites."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def say(line: str = "") -> None:
    """Print one line for people, wrapped between words where the terminal is narrower."""
    width = terminal_width(sys.maxsize)
    click.echo("\n".join(_wrapped(part, width) for part in printable(line).split("\n")))


def _wrapped(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    label = _LABEL.match(line)
    indent = len(label[0]) if label else 0
    return textwrap.fill(
        line,
        max(width, indent + 20),
        subsequent_indent=" " * indent,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )


def warn(line: str) -> None:
    """Print one line of warning on stderr, in red on a terminal."""
    click.echo(f"{click.style('warning:', fg='red')} {printable(scrub_message(line))}", err=True)


def fault(line: str) -> None:
    """Print one line of error on stderr."""
    click.echo(f"error: {printable(scrub_message(line))}", err=True)


@contextmanager
def progress(*, quiet: bool) -> "Iterator[Progress]":
    """Show progress bars on stderr if it is a terminal, unless `quiet`."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    bars = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=Console(file=sys.stderr, highlight=False),
        disable=quiet or not sys.stderr.isatty(),
        transient=True,
    )
    with bars:
        yield bars
