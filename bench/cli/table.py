"""The table printer of every command."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest

import click
from rich.cells import cell_len

from bench.cli.layout import fit, fold, longest_piece
from bench.cli.output import printable, say, terminal_width

PIPED_WIDTH = 110


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    right: Iterable[int] = (),
    caption: str | None = None,
    piped: int = PIPED_WIDTH,
    optional: Sequence[int] = (),
) -> None:
    """Print a table as `table_text` lays it out, and say which columns it hides."""
    text, hidden = table_text(
        columns, rows, title=title, right=right, caption=caption, width=terminal_width(piped), optional=optional
    )
    click.echo(text)  # its cells and texts are printable, and it has our own styles
    if hidden:
        say(f"columns hidden (terminal too narrow): {', '.join(hidden)} (--json has all)")


def numbered(reasons: Iterable[str | None]) -> dict[str, str]:
    """Return a mark for each distinct reason, in order ("[1]", "[2]"), for the cells of a table."""
    return {reason: f"[{number}]" for number, reason in enumerate(dict.fromkeys(filter(None, reasons)), 1)}


def say_reasons(marks: Mapping[str, str]) -> None:
    """Print each mark with its reason, below the table that holds the marks."""
    for reason, mark in marks.items():
        say(f"{mark}  {reason}")


def table_text(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    right: Iterable[int] = (),
    caption: str | None = None,
    width: int = PIPED_WIDTH,
    optional: Sequence[int] = (),
) -> tuple[str, list[str]]:
    """Return a table as text, and the headings of the columns that it hides.

    Numbers and words stay whole: where the columns cannot be made narrow enough, each row becomes a record, one line
    a cell.

    Parameters
    ----------
    columns
        The headings.
    rows
        The cells of each row, in the order of the headings.
    title, caption
        Text above and below the table.
    right
        Indices of the columns aligned to the right, which hold numbers.
    width
        Width of the table [cells].
    optional
        Indices of columns that may be hidden rather than fold anything, the first one first.
    """
    cells = [[printable("" if cell is None else str(cell)) for cell in row] for row in (columns, *rows)]
    shown, spare = list(range(len(columns))), list(optional)
    while True:
        by_column = [list(column) for column in zip_longest(*([row[at] for at in shown] for row in cells))]
        numbers = {shown.index(at) for at in right if at in shown}
        layout = _layout(by_column, numbers, width, dense=bool(optional))
        if not spare or (layout is not None and layout[0] == 0):
            break
        shown.remove(spare.pop(0))
    hidden = [columns[at] for at in range(len(columns)) if at not in shown]
    if layout is None:
        body = _records(by_column, width)
    else:
        _, gap, widths = layout
        body = _grid(list(zip(*by_column, strict=True)), widths, numbers, gap)
    above = [click.style(fold(printable(title), width), bold=True)] if title else []
    below = [fold(printable(caption), width), ""] if caption else []
    return "\n".join([*above, "", *body, "", *below]), hidden


def _layout(
    columns: Sequence[Sequence[str]], numbers: set[int], width: int, *, dense: bool
) -> tuple[int, int, list[int]] | None:
    """Return the step of the best layout, its gap and its widths.

    `dense` prefers a gap of 1 to any folding; else folding between words comes first, which is easier to read.
    """
    fitted = []
    for gap in (3, 2, 1):
        fitting = fit(columns, numbers, width - 1 - gap * (len(columns) - 1))
        if fitting is not None and (gap < 3 or fitting[0] == 0):
            step, widths = fitting
            cost = 2 * step + (3 if gap == 1 and not dense else 0)
            fitted.append((cost, -gap, step, widths))
    if not fitted:
        return None
    _, gap, step, widths = min(fitted)
    return step, -gap, widths


def _grid(rows: Sequence[Sequence[str]], widths: Sequence[int], numbers: set[int], gap: int) -> list[str]:
    lines = []
    for number, row in enumerate(rows):
        folded = [fold(cell, width).split("\n") for cell, width in zip(row, widths, strict=True)]
        height = max(map(len, folded))
        # The heading is aligned to the bottom of its row, a cell to the top.
        blocks = [[""] * (height - len(block)) + block if number == 0 else block for block in folded]
        for parts in zip_longest(*blocks, fillvalue=""):
            padded = (
                _pad(part, width, right=at in numbers)
                for at, (part, width) in enumerate(zip(parts, widths, strict=True))
            )
            line = f" {(' ' * gap).join(padded).rstrip()}"
            lines.append(click.style(line, bold=True) if number == 0 else line)
        if number == 0:
            lines.append(" " + "─" * (sum(widths) + gap * (len(widths) - 1)))
    return lines


def _pad(text: str, width: int, *, right: bool) -> str:
    spaces = " " * (width - cell_len(text))
    return spaces + text if right else text + spaces


def _records(columns: Sequence[Sequence[str]], width: int) -> list[str]:
    headings = [column[0].replace("\n", " ") for column in columns]
    label = max(map(cell_len, headings)) + 2
    lines: list[str] = []
    for row in zip(*(column[1:] for column in columns), strict=True):
        lines += [""] if lines else []
        for heading, cell in zip(headings, row, strict=True):
            if not cell:
                continue
            room = max(width - label - 1, longest_piece(cell))
            first, *others = fold(cell, room).split("\n")
            lines.append(f" {_pad(heading, label, right=False)}{first}".rstrip())
            lines += [" " * (label + 1) + line for line in others]
    return lines
