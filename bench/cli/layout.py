"""Widths of a table's columns: numbers and words stay whole, text folds between words."""

import re
from collections.abc import Collection, Sequence

from rich.cells import cell_len, set_cell_size

LONGEST = 28
"""Most cells that one unbroken piece of text may ask for where room is short."""
SHORTEST = 8
"""Cells that a column of text keeps even where nothing fits."""
# A long name may break at one of these marks beside a letter: never inside a number or a date.
_BREAK = re.compile(r"(?<=[._/:\-])(?=[^\W\d])|(?<=[^\W\d]-)(?=\d)")


def fold(text: str, width: int) -> str:
    """Return text in lines of at most `width` cells; a piece of a word that is longer ends in an ellipsis."""
    return "\n".join(_folded(line, width) for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    if cell_len(line) <= width:
        return line
    lines = [""]
    for word in line.split():
        for index, piece in enumerate([word] if cell_len(word) <= width else _BREAK.split(word)):
            shown = piece if cell_len(piece) <= width else f"{set_cell_size(piece, width - 1)}…"
            gap = " " if index == 0 and lines[-1] else ""
            if cell_len(lines[-1] + gap + shown) <= width:
                lines[-1] += gap + shown
            else:
                lines.append(shown)
    return "\n".join(line for line in lines if line)


def widths(columns: Sequence[Sequence[str]], numbers: Collection[int], room: int) -> list[int]:
    """Return the cells each column gets of `room`; columns: each with its heading first.

    Headings of numbers fold first; then the widest column of text gives way, down to its longest piece; then numbers
    part from their units; then text is cut. A number stays whole even beyond the room.
    """
    wide = [max(cell_len(line) for cell in cells for line in cell.split("\n")) for cells in columns]
    whole = [
        max(map(cell_len, (*cells[0].split(), *cells[1:])), default=0)
        if index in numbers
        else min(
            LONGEST, max((cell_len(p) for cell in cells for w in cell.split() for p in _BREAK.split(w)), default=0)
        )
        for index, cells in enumerate(columns)
    ]
    apart = [
        max((cell_len(word) for cell in cells for word in cell.split()), default=0)
        if index in numbers
        else whole[index]
        for index, cells in enumerate(columns)
    ]
    least = [kept if index in numbers else min(SHORTEST, kept) for index, kept in enumerate(apart)]
    headings = [whole[index] if index in numbers else kept for index, kept in enumerate(wide)]
    for floor in (headings, whole, apart, least):
        while sum(wide) > room:
            index = max(range(len(wide)), key=lambda at: wide[at] if wide[at] > floor[at] else -1)
            if wide[index] <= floor[index]:
                break
            wide[index] -= 1
    return wide
