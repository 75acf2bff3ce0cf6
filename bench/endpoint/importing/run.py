"""What an import takes from another tool's document: its figures with their own names, and the window that they cover.

The names are those of perwatt's own records: `rate`, `ttft_q50`, `tpot_q50`, `e2e_q50`. A figure that has no equal
here keeps its own name only.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bench.endpoint.importing.fields import Fields

WHOLE_RUN = "whole-run"
SECONDS, MILLISECONDS = ("s", 1.0), ("ms", 1e-3)
Value = str | int | float | bool | list[int] | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, ours and as the tool states it."""

    name: str  # perwatt's name; empty where perwatt has no such figure
    value: float  # in `unit`
    unit: str
    key: str  # the tool's own
    tool_value: float | None  # None where it follows from several values
    tool_unit: str
    formula: str = ""  # where it is not only a change of unit
    n: int = 1  # requests that it is of

    def stated(self) -> dict[str, Value]:
        """Return the figure as the record keeps it beside perwatt's."""
        return {
            "name": self.name or None, "value": self.value, "unit": self.unit, "tool_key": self.key,
            "tool_value": self.tool_value, "tool_unit": self.tool_unit, "formula": self.formula or None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """The window of a run by the wall clock of the tool."""

    start_s: float  # [s since 1970]
    end_s: float  # [s since 1970]
    edge_s: float = 0.0  # [s] by which each edge may be off


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun:
    """One run of a tool."""

    tool: str
    place: str  # file, and line or list item
    figures: tuple[Figure, ...]
    tokens_from: str
    window: str = WHOLE_RUN
    version: str | None = None
    device: str = ""  # as far as the document names it
    model: str | None = None
    requests: int | None = None  # that ended well
    failed: int | None = None
    duration_s: float | None = None
    input_tokens: float | None = None  # of all requests
    output_tokens: float | None = None
    lengths: tuple[float | None, float | None] = (None, None)  # of a request, in and out
    concurrency: int | None = None
    rate_per_s: float | None = None  # of requests, of an open loop
    span: Span | None = None
    dropped: tuple[str, ...] = ()  # keys whose values mean that there is no data
    parameters: Mapping[str, Value] = field(default_factory=dict)

    @property
    def mean_lengths(self) -> tuple[float | None, float | None]:
        """Mean tokens of a request, in and out: from the totals where they are known."""
        totals = (self.input_tokens, self.output_tokens)
        return (
            totals[0] / self.requests if totals[0] and self.requests else self.lengths[0],
            totals[1] / self.requests if totals[1] and self.requests else self.lengths[1],
        )


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of document."""

    name: str
    marks: tuple[frozenset[str], ...]  # a document with all keys of one of these is of this kind
    known: frozenset[str]  # keys by which an unknown document resembles this kind
    read: Callable[[Fields], list[ToolRun]]

    def fits(self, keys: Iterable[str]) -> bool:
        """Return whether a document with these keys is of this kind."""
        present = set(keys)
        return any(mark <= present for mark in self.marks)


class Figures:
    """A collector of figures: it converts units, and drops the zeros that stand for missing data."""

    def __init__(self, fields: Fields, requests: int | None = None) -> None:
        self._fields, self._requests = fields, requests
        self.kept: list[Figure] = []
        self.dropped: list[str] = []

    def add(  # noqa: PLR0913 (the parts of a figure)
        self,
        name: str,
        key: str,
        unit: str,
        *,
        tool_unit: str = "",
        scale: float = 1.0,
        formula: str = "",
        fields: Fields | None = None,
        latency: bool = False,
    ) -> None:
        """Take a figure over if the document has it; 0 is no data.

        Parameters
        ----------
        name
            perwatt's name, or an empty text.
        key
            The tool's key.
        unit, tool_unit
            Units of both; without the latter they are equal.
        scale
            Our value over the tool's.
        formula
            How ours follows, where it is not only a change of unit.
        fields
            The table that has the key, where it is an inner one.
        latency
            Whether the figure is of single requests.
        """
        table = fields or self._fields
        value = table.number(key)
        if value is None:
            return
        if not value:
            self.dropped.append(table.name(key))
            return
        n = self._requests if latency and self._requests else 1
        self.kept.append(
            Figure(name, value * scale, unit, table.name(key), value, tool_unit or unit, formula, max(1, n))
        )

    def derive(  # noqa: PLR0913 (the parts of a figure)
        self, name: str, value: float | None, unit: str, key: str, formula: str, *, n: int = 1
    ) -> None:
        """Add a figure that follows from several values of the document."""
        if value:
            self.kept.append(Figure(name, value, unit, key, None, "", formula, n))


PERCENTILES = {"mean": "mean", "median": "q50", "p50": "q50", "p90": "q90", "p95": "q95", "p99": "q99"}
"""perwatt's name of each statistic of a latency."""


def add_latencies(
    figures: Figures, terms: Mapping[str, str], key_of: Callable[[str, str], str], scale: tuple[str, float]
) -> None:
    """Take over the statistics of each latency.

    Parameters
    ----------
    terms
        perwatt's name by the tool's term; an empty name where perwatt has no such latency.
    key_of
        The tool's key of a statistic and a term.
    scale
        The tool's unit, and a second over it.
    """
    unit, factor = scale
    for term, name in terms.items():
        taken = set()
        for statistic, label in PERCENTILES.items():
            key = key_of(statistic, term)
            before = len(figures.kept)
            if label in taken:
                continue
            figures.add(f"{name}_{label}" if name else "", key, "s", tool_unit=unit, scale=factor, latency=True)
            if len(figures.kept) > before:
                taken.add(label)
