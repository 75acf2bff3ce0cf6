"""Blocks of the page's sections: cards, tables, charts, facts, notices, and lines that say what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.credentials import scrub_text
from bench.report.charts.svg import Chart

Tone = Literal["", "measured", "rated", "modelled", "assumed", "bad", "warn", "good", "unverified"]


@dataclass(frozen=True, slots=True)
class Chip:
    """A word in a small frame, such as the basis of a figure or a status."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A source: its title and its address; only http and https addresses become links."""

    text: str
    address: str = ""

    @property
    def href(self) -> str:
        """The address, or nothing where following it could run a script or read a file."""
        return scrub_text(self.address) if self.address.startswith(("https://", "http://")) else ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table."""

    text: str = ""
    sort: float | str | None = None  # key to sort by; None sorts by the text
    chips: tuple[Chip, ...] = ()
    links: tuple[Link, ...] = ()
    note: str = ""  # small print below the text

    @property
    def sort_key(self) -> str:
        """The key that the sorting script compares; an empty key sorts last."""
        if self.sort is not None:
            return f"{self.sort!r}" if isinstance(self.sort, float) else str(self.sort)
        return "" if self.text == "-" else self.text


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption."""

    key: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()  # columns that are right-aligned and sorted as numbers
    sortable: bool = False
    note: str = ""
    roomy: frozenset[int] = frozenset()  # columns of long texts, which get more width

    @property
    def tall(self) -> bool:
        """Whether the table scrolls in a frame of its own."""
        return len(self.rows) > 24


@dataclass(frozen=True, slots=True)
class Missing:
    """One line that says why something is not on the page."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Card:
    """A headline figure with its basis and its uncertainty."""

    product: str
    quantity: str
    value: str
    unit: str
    chips: tuple[Chip, ...]
    interval: str
    lines: tuple[str, ...] = ()
    tone: Literal["mining", "inference"] = "mining"


@dataclass(frozen=True, slots=True)
class Facts:
    """A list of terms and their values."""

    title: str
    pairs: tuple[tuple[str, str], ...]
    open: bool = True


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning or the reason of an invalid result, with its cure."""

    chip: Chip
    title: str
    text: str
    cure: str = ""
    records: str = ""  # the records that carry it


@dataclass(frozen=True, slots=True)
class Cards:
    """The cards of the headline, in a row where there is room."""

    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Notices:
    """A list of notices."""

    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid of small charts."""

    charts: tuple[Chart, ...]
    roomy: bool = False  # two in a row instead of three


Block = Grid | Cards | Table | Chart | Missing | Facts | Notices


@dataclass(frozen=True, slots=True)
class Section:
    """One of the page's sections."""

    key: str
    title: str
    lead: str
    blocks: tuple[Block, ...]

    @property
    def short(self) -> str:
        """The title up to its colon, for the page's own links."""
        return self.title.partition(":")[0]

    def kinds(self) -> Sequence[tuple[str, Block]]:
        """Return each block with the name of the template's macro for it."""
        return [(type(block).__name__.lower(), block) for block in self.blocks]


def figure_cell(text: str, value: float | None, *chips: Chip, note: str = "") -> Cell:
    """Return a cell of a number that sorts by its value."""
    return Cell(text, value if value is None else float(value), chips, note=note)
