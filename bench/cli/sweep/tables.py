"""The table of an operating curve, its best levels, and its JSON document."""

from typing import TYPE_CHECKING, Any

from bench.cli.output import plain, quantity, rate, say
from bench.cli.run.tables import print_notes
from bench.cli.table import print_table
from bench.sweep.curve import level_of
from bench.sweep.words import METHOD, METHOD_OF_WINDOWS, sentences

if TYPE_CHECKING:
    from bench.sweep.curve import Curve, CurvePoint, Figure

SCHEMA = "perwatt.curve/1"


def print_curve(curve: "Curve") -> None:
    """Print an operating curve for people."""
    first = curve.records[0]
    say(f"lever      {curve.lever}, as found {curve.as_found or 'not shown'}; {first.device.name}")
    metered = curve.by.startswith("J/")
    columns = ("power W", "rate", "95 % interval", *((curve.by, "95 % interval") if metered else ()), "visits")
    print_table(
        ("level", *columns, "may be the best"),
        [_cells(point, first.workload.unit, metered=metered) for point in curve.points],
        title=f"{first.workload.name}, plan {first.run.plan}, {len(curve.records)} visits",
        right=range(1, 1 + len(columns)),
        optional=(len(columns),),
    )
    for name, words in sentences(curve):
        say(f"{name:<10} {words}")
    print_notes(curve.records, level_of)


def curve_document(curve: "Curve") -> dict[str, Any]:
    """Return an operating curve as a JSON-ready document."""
    return {
        "schema": SCHEMA,
        "sweep": curve.run_id,
        "lever": curve.lever,
        "level_as_found": curve.as_found,
        "by": curve.by,
        "points": [
            {
                "level": point.level,
                "rate_per_s": _figure(point.rate),
                "power_w": _figure(point.power),
                "energy_j_per_unit": _figure(point.energy),
                "may_be_the_best": point.alike,
                "records": [record.id for record in point.records],
            }
            for point in curve.points
        ],
        "best": curve.choice.best if curve.choice is not None else None,
        "range": list(curve.range),
        "method": None if curve.choice is None else METHOD if curve.choice.by_visits else METHOD_OF_WINDOWS,
        "drift_frac_95": curve.drift,
        "invalid": list(curve.invalid),
        "doubts": list(curve.doubts),
    }


def _cells(point: "CurvePoint", unit: str, *, metered: bool) -> tuple[str, ...]:
    energy = point.energy
    return (
        point.level,
        plain(point.power.value) if point.power is not None else "-",
        rate(point.rate.value, f"{unit}/s"),
        _half(point.rate),
        *((quantity(energy.value, f"J/{unit}"), _half(energy)) if metered and energy is not None else ()),
        str(len(point.records)),
        "yes" if point.alike else "no",
    )


def _half(figure: "Figure") -> str:
    if figure.interval is None:
        return "one window"
    return f"± {(figure.interval[1] - figure.interval[0]) / 2.0 / figure.value:.2%}"


def _figure(figure: "Figure | None") -> dict[str, Any] | None:
    return None if figure is None else {"value": figure.value, "interval_95": figure.interval}
