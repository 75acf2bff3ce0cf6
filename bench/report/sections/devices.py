"""Section 2: the measured devices over the catalogue, as charts, as a table that sorts, and against what is rated."""

from typing import TYPE_CHECKING

from bench.quantity import j_per_th, plain, quantity, rate, si
from bench.report.blocks import Block, Cell, Chip, Missing, Section, Table, figure_cell
from bench.report.device_points import Point, catalogue_points, latest, measured_points
from bench.report.text import basis_chip, confidence_chips, plus_minus

if TYPE_CHECKING:
    from bench.compare.compare import Row
    from bench.compare.subjects import Figure
    from bench.report.charts.svg import Chart
    from bench.report.gather import Gathered
    from bench.results.record import Record

_NOT_METERED = Chip("not metered", "warn")


def section(gathered: "Gathered") -> Section:
    """Return the section of devices."""
    measured, rated = measured_points(gathered), catalogue_points(gathered)
    blocks: list[Block] = []
    if not measured:
        blocks.append(Missing("Measured devices", "no valid result on this page, so the catalogue stands alone"))
    blocks.extend(_chart(unit, measured, rated) for unit in ("hash", "flop"))
    blocks.extend((_table(measured, rated), _against(gathered)))
    return Section(
        "devices",
        "Devices: measured over the catalogue",
        "Power against rate; along each line the energy for a unit of work is the same, and lower is better. What was "
        "measured here stands over what makers and tables print.",
        tuple(blocks),
    )


def _chart(unit: str, measured: list[Point], rated: list[Point]) -> "Chart | Missing":
    from bench.report.charts.device import power_against_rate

    mine = [point for point in (*rated, *measured) if point.unit == unit]
    what = "Hash rate" if unit == "hash" else "Matrix products"
    if not any(point.power_w for point in mine):
        return Missing(what, "neither a result nor a profile has both a rate and a power")
    return power_against_rate(unit, mine)


def _table(measured: list[Point], rated: list[Point]) -> Table:
    rows = [_row(point) for point in (*measured, *_merged(rated))]
    return Table(
        "device-table",
        f"Devices: {len(measured)} measured, {len({point.slug for point in rated})} in the catalogue",
        (
            "Device", "Kind", "Basis", "Hash rate", "Matrix product", "Power", "J/TH", "TFLOP/J",
            "95 % of the rate", "Released", "Sources",
        ),
        tuple(rows),
        numeric=frozenset({3, 4, 5, 6, 7}),
        sortable=True,
        roomy=frozenset({10}),
        note="J/TH and TFLOP/J are power over rate of one row, never of two. A rated matrix product is a dense peak "
        "over the thermal design power: a bound that no measurement reaches.",
    )  # fmt: skip


def _merged(points: list[Point]) -> list[Point]:
    """Return one point a profile: a GPU's hash rate is not rated, so that it has one only."""
    return list({point.name: point for point in points}.values())


def _row(point: Point) -> tuple[Cell, ...]:
    chips = (basis_chip(point.basis), *confidence_chips(point.confidence))
    hashing, products = point.unit == "hash", point.unit == "flop"
    efficiency = point.joules_per_unit
    power_chips = (Chip(point.boundary),) if point.boundary else ()
    if point.here and point.power_w is None:
        power_chips = (_NOT_METERED,)
    elif point.power_basis != point.basis and point.power_w is not None:
        power_chips = (*power_chips, basis_chip(point.power_basis))
    watts = f"{plain(point.power_w)} W" if point.power_w else "" if power_chips else "-"
    return (
        Cell(point.title, point.title, note=point.note),
        Cell(point.kind),
        Cell("", point.basis, chips),
        figure_cell(rate(point.rate, "hash/s") if hashing else "-", point.rate if hashing else None),
        figure_cell(f"{si(point.rate, 'FLOP/s')} {point.dtype}" if products else "-", point.rate if products else None),
        figure_cell(watts, point.power_w, *power_chips),
        figure_cell(j_per_th(efficiency * 1e12) if hashing and efficiency else "-", efficiency if hashing else None),
        figure_cell(plain(1e-12 / efficiency) if products and efficiency else "-",
                    1.0 / efficiency if products and efficiency else None),
        Cell(point.interval_text or "-", point.interval_text or ""),
        Cell(point.released, point.released if point.released != "unknown" else ""),
        Cell("", " ".join(link.text for link in point.sources), links=point.sources),
    )  # fmt: skip


def _against(gathered: "Gathered") -> "Table | Missing":
    """Return measured over rated, by the comparison's own rules, for every device that the catalogue recognises."""
    from bench.compare.compare import compare
    from bench.compare.subjects import of_profile, of_record
    from hardware_profiles.catalog import recognise
    from hardware_profiles.profile import Profile

    what = "Measured against rated"
    chosen = latest(gathered.valid)
    if not chosen:
        return Missing(what, "no valid result on this page")
    names = dict.fromkeys(record.device.name for record in chosen)
    devices = {name: recognise(name, gathered.catalogue) for name in names}
    rows: list[tuple[Cell, ...]] = []
    for record in chosen:
        device = devices[record.device.name]
        if device is None:
            continue
        profile = Profile(device, device.bins[0] if device.bins else None, None)
        rows.extend(
            _over_rated(record, found, found.figure, found.ratio)
            for found in compare([of_profile(profile), of_record(record)])
            if found.subject.kind == "result" and found.figure is not None and found.ratio
        )
    if not rows:
        unknown = [name for name, device in devices.items() if device is None]
        if unknown:
            listed = ", ".join(unknown[:3])
            return Missing(what, f"the catalogue does not know {listed}; `perwatt profile new` writes a profile of it")
        return Missing(what, "the catalogue rates none of the figures that were measured, at their boundary")
    columns = ("Device", "Figure", "Measured", "Rated", "Measured over rated", "Interval of the measurement")
    return Table("against", what, columns, tuple(rows), frozenset({2, 3, 4}), sortable=True)


def _over_rated(record: "Record", found: "Row", figure: "Figure", ratio: float) -> tuple[Cell, ...]:
    rated = figure.value / ratio
    return (
        Cell(record.device.name, note=f"{record.workload.name} {record.workload.variant}"),
        Cell(f"{figure.group} {figure.of}".strip()),
        figure_cell(quantity(figure.value, figure.unit), figure.value),
        figure_cell(quantity(rated, figure.unit), rated, basis_chip("rated")),
        figure_cell(f"{ratio:.3f}", ratio),
        Cell(plus_minus(figure.value, figure.interval), note="; ".join(filter(None, (found.why, found.note)))),
    )
