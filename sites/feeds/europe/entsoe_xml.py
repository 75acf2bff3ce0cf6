"""Prices of ENTSO-E's API: the XML documents of type A44.

A curve of type A03 leaves out each point that repeats the one before it, so its gaps are filled by its meaning. In a
curve of type A01 an absent point is missing.

References
----------
.. [1] ENTSO-E, "The introduction of different timeseries possibilities (curveType) with ENTSO-E electronic documents".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sites.feeds.cells import number, whole
from sites.feeds.europe.entsoe import WITHOUT_SEQUENCE
from sites.feeds.europe.periods import CENTRAL_EUROPE
from sites.feeds.model import CellError, Document, Entry, Layout
from sites.feeds.wall_time import iso_unix_s

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from sites.feeds.selection import Selection

_PRICES = "Publication_MarketDocument"
_REFUSAL = "Acknowledgement_MarketDocument"
_SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"
_MARKETS = {"A01": "day-ahead", "A07": "intraday"}
_RESOLUTIONS_S = {"PT15M": 900, "PT30M": 1800, "PT60M": 3600, "PT1H": 3600}
_CURVES = ("A01", "A03")


def _is_known(root: Any) -> bool:
    return _tag(root) in {_PRICES, _REFUSAL}


def _read(root: Any, selection: Selection) -> Iterator[Entry]:
    if _tag(root) == _REFUSAL:
        reason = _text(root.find("{*}Reason/{*}text"))
        raise CellError(_REFUSAL, expected="prices", got=reason)
    kind = _text(root.find("{*}type"), "A44")
    if kind != "A44":
        raise CellError("type", expected="A44 (prices)", got=kind)
    for series in root.iterfind("{*}TimeSeries"):
        area = _needed(series, "in_Domain.mRID")
        sequence = _text(series.find(f"{{*}}{_SEQUENCE}"), WITHOUT_SEQUENCE)
        contract = _text(series.find("{*}contract_MarketAgreement.type"), "A01")
        if not selection.takes(area, _MARKETS.get(contract, contract), sequence):
            continue
        energy = _needed(series, "price_Measure_Unit.name")
        if energy != "MWH":
            raise CellError("price_Measure_Unit.name", expected="MWH", got=energy)
        selection.states_unit(f"{_needed(series, 'currency_Unit.name')}/MWh")
        curve = _text(series.find("{*}curveType"), "A01")
        if curve not in _CURVES:
            raise CellError("curveType", expected=" or ".join(_CURVES), got=curve)
        for period in series.iterfind("{*}Period"):
            yield from _period(period, repeats=curve == "A03")


def _period(period: Element, *, repeats: bool) -> Iterator[Entry]:
    """Yield the intervals of a period; with `repeats` an absent point has the price of the one before it."""
    start_s = iso_unix_s(_needed(period, "timeInterval/{*}start"), "start")
    end_s = iso_unix_s(_needed(period, "timeInterval/{*}end"), "end")
    resolution = _needed(period, "resolution")
    step_s = _RESOLUTIONS_S.get(resolution)
    if step_s is None:
        raise CellError("resolution", expected=", ".join(_RESOLUTIONS_S), got=resolution)
    count, rest_s = divmod(end_s - start_s, step_s)
    if count < 1 or rest_s:
        raise CellError("timeInterval", expected=f"whole steps of {resolution}", got=f"{end_s - start_s} s")
    points = _points(period, count)
    last: float | None = None
    for position in range(1, count + 1):
        value = points.get(position, last if repeats else None)
        if value is not None:
            begin_s = start_s + (position - 1) * step_s
            yield Entry(begin_s, begin_s + step_s, value)
        last = value


def _points(period: Element, count: int) -> dict[int, float]:
    points: dict[int, float] = {}
    for point in period.iterfind("{*}Point"):
        position = whole(_needed(point, "position"), "position", 1, count)
        if position in points:
            raise CellError("position", expected="each position once", got=position)
        points[position] = number(_needed(point, "price.amount"), "price.amount")
    return points


def _needed(parent: Element, name: str) -> str:
    element = parent.find(f"{{*}}{name}")
    if element is None:
        raise CellError(name.replace("{*}", ""), expected=f"this element in {_tag(parent)}")
    return _text(element)


def _text(element: Element | None, otherwise: str = "") -> str:
    return otherwise if element is None else (element.text or "").strip()


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


LAYOUTS = (
    Layout(
        name="entsoe-api",
        title="ENTSO-E prices of the API (XML document A44)",
        quantity="price",
        unit="",
        timezone="UTC",
        market_timezone=CENTRAL_EUROPE,
        label="start and end",
        repeated_hour="no repeated hour: UTC",
        choices=("area", "market", "sequence"),
        document=Document("xml", _is_known, _read),
    ),
)
