"""Section 2 of the page: measured devices and the catalogue, as charts, as a table, and measured over rated."""

from typing import TYPE_CHECKING

from bench.compare.device_figures import DeviceFigures
from bench.quantity import j_per_th, plain, quantity, rate, si
from bench.report.blocks import Block, Cell, Chip, Link, Missing, Section, Table, figure_cell
from bench.report.sections.miners import tables as miner_tables
from bench.report.selection import catalogue_devices, latest, measured_devices
from bench.report.text import basis_chip, confidence_chips, plus_minus, rate_interval

if TYPE_CHECKING:
    from bench.compare.device_figures import Figure
    from bench.compare.over_rated import OverRated
    from bench.compare.verdicts import Row
    from bench.report.charts.svg import Chart
    from bench.report.gather import Gathered
    from bench.results.record import Record

_NOT_METERED = Chip("not metered", "warn")


def section(gathered: "Gathered") -> Section:
    """Return the section of devices."""
    measured, rated = measured_devices(gathered), catalogue_devices(gathered)
    blocks: list[Block] = []
    if not measured:
        blocks.append(Missing("Measured devices", "no valid result on this page; the catalogue is shown without one"))
    blocks.extend(_chart(work, measured, rated) for work in ("hash", "flop"))
    blocks.extend((_table(measured, rated), _against(gathered), *miner_tables(gathered)))
    return Section(
        "devices",
        "Devices: measured and rated",
        "Power against rate. Along a grey line the energy per unit of work is constant; lower is better. Results of "
        "this page are drawn over the figures that makers and tables publish.",
        tuple(blocks),
    )


def _chart(work: str, measured: list[DeviceFigures], rated: list[DeviceFigures]) -> "Chart | Missing":
    from bench.report.charts.device import leads_with, power_against_rate

    devices = [device for device in (*rated, *measured) if leads_with(device, work)]
    if not any(device.power() for device in devices):
        title = "Hash rate" if work == "hash" else "Matrix products"
        return Missing(title, "neither a result nor a profile has both a rate and a power")
    return power_against_rate(work, devices)


def _table(measured: list[DeviceFigures], rated: list[DeviceFigures]) -> Table:
    return Table(
        "device-table",
        f"Devices: {len(measured)} measured, {len({device.device for device in rated})} in the catalogue",
        (
            "Device", "Kind", "Basis", "Hash rate", "Matrix product", "Power", "J/TH", "TFLOP/J",
            "95 % of the rate", "Released", "Sources",
        ),
        tuple(_row(device) for device in (*measured, *rated)),
        numeric=frozenset({3, 4, 5, 6, 7}),
        sortable=True,
        roomy=frozenset({10}),
        note="J/TH and TFLOP/J come from one source per row: metered energy per unit of work, otherwise power over "
        "rate. A rated matrix product is a dense peak, and its TFLOP/J a bound that no measurement reaches.",
    )  # fmt: skip


def _row(device: DeviceFigures) -> tuple[Cell, ...]:
    chips = (basis_chip(device.basis), *confidence_chips(device.confidence))
    hashes, product, power = device.rate("hash"), device.matrix_product(), device.power()
    product = product if hashes is None else None
    dtype = product.of.partition(" ")[2] if product else ""
    flop_per_j = device.flop_per_j().get(dtype) if product else None
    interval = rate_interval(device) if device.measured_here else ""
    return (
        Cell(device.device_title, device.device_title, note=device.note),
        Cell(device.device_kind),
        Cell("", device.basis, chips),
        figure_cell(rate(hashes.value, "hash/s") if hashes else "-", hashes.value if hashes else None),
        figure_cell(f"{si(product.value, 'FLOP/s')} {dtype}" if product else "-", product.value if product else None),
        _power_cell(device, power),
        figure_cell(j_per_th(device.j_per_th), device.j_per_th),
        figure_cell(plain(flop_per_j / 1e12) if flop_per_j else "-", flop_per_j),
        Cell(interval or "-", interval),
        Cell(device.released, device.released if device.released != "unknown" else ""),
        Cell("", " ".join(title for title, _ in device.sources), links=tuple(Link(*one) for one in device.sources)),
    )


def _power_cell(device: DeviceFigures, power: "Figure | None") -> Cell:
    if power is None:
        return figure_cell("", None, _NOT_METERED) if device.measured_here else figure_cell("-", None)
    chips = (Chip(power.boundary),) if power.boundary else ()
    if power.basis != device.basis:
        chips = (*chips, basis_chip(power.basis))
    return figure_cell(f"{plain(power.value)} W", power.value, *chips)


def _against(gathered: "Gathered") -> "Table | Missing":
    """Return measured over rated, by the rules of `perwatt compare`, for each device that the catalogue recognises."""
    from bench.compare.load import of_profile, of_record
    from bench.compare.over_rated import over_rated
    from bench.compare.verdicts import compare
    from hardware_profiles.catalog import recognise
    from hardware_profiles.profile import Profile

    title = "Measured against rated"
    chosen = latest(gathered.valid)
    if not chosen:
        return Missing(title, "no valid result on this page")
    names = dict.fromkeys(record.device.name for record in chosen)
    devices = {name: recognise(name, gathered.catalogue) for name in names}
    rows: list[tuple[Cell, ...]] = []
    for record in chosen:
        if record.device.kind == "asic":
            rows.extend(_of_miner(record, line) for line in over_rated(of_record(record), gathered.catalogue).lines)
            continue
        device = devices[record.device.name]
        if device is None:
            continue
        profile = Profile(device, device.bins[0] if device.bins else None, None)
        rows.extend(
            _over_rated(record, row, row.figure, row.ratio)
            for row in compare([of_profile(profile), of_record(record)])
            if row.subject.source == "result" and row.figure is not None and row.ratio
        )
    if not rows:
        unknown = [name for name, device in devices.items() if device is None]
        if unknown:
            listed = ", ".join(unknown[:3])
            return Missing(title, f"the catalogue does not know {listed}; `perwatt profile new` writes a profile of it")
        return Missing(title, "the catalogue rates none of the measured figures at the same boundary")
    columns = ("Device", "Figure", "Measured", "Rated", "Measured over rated", "Interval of the measurement")
    return Table("against", title, columns, tuple(rows), frozenset({2, 3, 4}), sortable=True)


def _over_rated(record: "Record", row: "Row", figure: "Figure", ratio: float) -> tuple[Cell, ...]:
    rated = figure.value / ratio
    return (
        Cell(record.device.name, note=f"{record.workload.name} {record.workload.variant}"),
        Cell(f"{figure.group} {figure.of}".strip()),
        figure_cell(quantity(figure.value, figure.unit), figure.value),
        figure_cell(quantity(rated, figure.unit), rated, basis_chip("rated")),
        figure_cell(f"{ratio:.3f}", ratio),
        Cell(plus_minus(figure.value, figure.interval), note="; ".join(filter(None, (row.why, row.note)))),
    )


def _of_miner(record: "Record", line: "OverRated") -> tuple[Cell, ...]:
    """Return a row of a miner, whose verdict is by the maker's tolerance."""
    tolerance = "unknown" if line.tolerance_frac is None else f"± {line.tolerance_frac:.0%}"
    figure = {"rate": "hash rate", "power": "power at the wall", "energy": "energy of 10¹² hashes"}[line.group]
    words = (line.verdict, f"tolerance of the maker {tolerance}", line.note)
    return (
        Cell(record.device.name, note=line.rated_by),
        Cell(figure),
        figure_cell(quantity(line.measured, line.unit), line.measured),
        figure_cell(quantity(line.rated, line.unit), line.rated, basis_chip("rated")),
        figure_cell(f"{line.ratio:.3f}", line.ratio),
        Cell(plus_minus(line.ratio, line.interval_95), note="; ".join(filter(None, words))),
    )
