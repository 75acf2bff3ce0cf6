"""What a section of the page is built of: cards, tables, charts, facts, and the line that says why one is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.report.charts.svg import Chart

Tone = Literal["", "measured", "rated", "modelled", "assumed", "bad", "warn", "good", "unverified"]


@dataclass(frozen=True, slots=True)
class Chip:
    """A word in a small frame: the basis of a figure, a status."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A source: its title and where it stands; only http and https addresses become links."""

    text: str
    address: str = ""

    @property
    def href(self) -> str:
        """The address, or nothing where following it could run or read something."""
        return self.address if self.address.startswith(("https://", "http://")) else ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, what it sorts by (else its text), chips and links after it, a note below it."""

    text: str = ""
    sort: float | str | None = None
    chips: tuple[Chip, ...] = ()
    links: tuple[Link, ...] = ()
    note: str = ""

    @property
    def sort_key(self) -> str:
        """What the sorting script compares; an empty one is always last."""
        if self.sort is not None:
            return f"{self.sort!r}" if isinstance(self.sort, float) else str(self.sort)
        return "" if self.text == "-" else self.text


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `numeric` are the columns that are right-aligned and sorted as numbers."""

    key: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()
    sortable: bool = False
    note: str = ""
    roomy: frozenset[int] = frozenset()
    """Columns of long texts, which get more width."""

    @property
    def tall(self) -> bool:
        """Whether the table gets a frame of its own to scroll in."""
        return len(self.rows) > 24


@dataclass(frozen=True, slots=True)
class Missing:
    """Why something is not on the page, in one line."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Card:
    """A headline figure: what it is, its value, where it comes from, how sure it is."""

    product: str
    what: str
    value: str
    unit: str
    chips: tuple[Chip, ...]
    interval: str
    lines: tuple[str, ...] = ()
    tone: Literal["mining", "inference"] = "mining"


@dataclass(frozen=True, slots=True)
class Facts:
    """Terms and what they are, short."""

    title: str
    pairs: tuple[tuple[str, str], ...]
    open: bool = True


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning or an invalid result, said where it matters, with its cure."""

    chip: Chip
    title: str
    text: str
    cure: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Cards:
    """The headline's cards, beside each other where there is room."""

    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Notices:
    """Notices below each other."""

    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Small charts beside each other; `roomy` ones two in a row rather than three."""

    charts: tuple[Chart, ...]
    roomy: bool = False


Block = Grid | Cards | Table | Chart | Missing | Facts | Notices


@dataclass(frozen=True, slots=True)
class Section:
    """One of the page's six sections."""

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
