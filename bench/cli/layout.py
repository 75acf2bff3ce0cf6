"""Widths of a table's columns, and the folding of text into them."""

import re
from collections.abc import Callable, Collection, Sequence

from rich.cells import cell_len, set_cell_size

# A long name breaks first between its segments (after a dot, slash, colon or bracket), and only where that is not
# enough between the words of a segment (after an underscore or hyphen). A number or a date never breaks.
_SEGMENT = re.compile(r"(?<=[./:\]])(?=[^\W\d_])")
_WORD = re.compile(r"(?<=[._/:\-\]])(?=[^\W\d])|(?<=[^\W\d]-)(?=\d)")


def fold(text: str, width: int) -> str:
    """Return text in lines of at most `width` cells; a piece of a word that is longer ends in an ellipsis."""
    return "\n".join(_folded(line, width) for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    if cell_len(line) <= width:
        return line
    lines = [""]
    for word in line.split():
        for index, piece in enumerate(_pieces(word, width)):
            shown = piece if cell_len(piece) <= width else f"{set_cell_size(piece, width - 1)}…"
            gap = " " if index == 0 and lines[-1] else ""
            if cell_len(lines[-1] + gap + shown) <= width:
                lines[-1] += gap + shown
            else:
                lines.append(shown)
    return "\n".join(line for line in lines if line)


def _pieces(word: str, width: int) -> list[str]:
    if cell_len(word) <= width:
        return [word]
    return [
        piece
        for segment in _SEGMENT.split(word)
        for piece in ([segment] if cell_len(segment) <= width else _WORD.split(segment))
    ]


def fit(columns: Sequence[Sequence[str]], numbers: Collection[int], room: int) -> tuple[int, list[int]] | None:
    """Return how far the columns had to shrink to fit, and their widths [cells]; None where they cannot fit whole.

    The steps: 0 nothing folds; 1 headings of numbers fold, and text folds between words and segments; 2 numbers are
    separated from their units; 3 segments of text fold between their words.

    Parameters
    ----------
    columns
        The cells of each column, its heading first.
    numbers
        Indices of the columns that hold numbers.
    room
        Width of all columns together [cells].
    """
    widths = [max(cell_len(line) for cell in cells for line in cell.split("\n")) for cells in columns]
    if sum(widths) <= room:
        return 0, widths
    for step, floor in enumerate(_floors(columns, numbers), 1):
        if sum(floor) > room:
            widths = list(map(min, widths, floor))
            continue
        while sum(widths) > room:
            # The headings of numbers give way first, then the widest column.
            headed = [at for at in numbers if widths[at] > floor[at]]
            widest = max(headed or range(len(widths)), key=lambda at: widths[at] if widths[at] > floor[at] else -1)
            widths[widest] -= 1
        return step, widths
    return None


def _floors(columns: Sequence[Sequence[str]], numbers: Collection[int]) -> list[list[int]]:
    whole = [max(map(cell_len, (*cells[0].split(), *cells[1:])), default=0) for cells in columns]
    words = [_widest(cells, str.split) for cells in columns]
    segments = [_widest(cells, lambda cell: [s for w in cell.split() for s in _SEGMENT.split(w)]) for cells in columns]
    pieces = [max(map(longest_piece, cells), default=0) for cells in columns]

    def floor(of_numbers: list[int], of_text: list[int]) -> list[int]:
        return [of_numbers[at] if at in numbers else of_text[at] for at in range(len(columns))]

    return [floor(whole, segments), floor(words, segments), floor(words, pieces)]


def longest_piece(text: str) -> int:
    """Return the width of the longest part of the text that `fold` keeps whole if it can [cells]."""
    return max((cell_len(piece) for word in text.split() for piece in _WORD.split(word)), default=0)


def _widest(cells: Sequence[str], split: Callable[[str], list[str]]) -> int:
    return max((cell_len(piece) for cell in cells for piece in split(cell)), default=0)
