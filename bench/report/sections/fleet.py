"""The page's section of fleets: what was not measured, then the units of each model, their spread and outliers."""

from typing import TYPE_CHECKING

from bench.fleet import table
from bench.fleet.study import Fleet, Study, fleet
from bench.report.blocks import Block, Cell, Chip, Facts, Missing, Section, Table, Tone, figure_cell

if TYPE_CHECKING:
    from bench.fleet.measurements import Model
    from bench.report.gather import Gathered

_CHARTS = 4  # models that are drawn


def measured(gathered: "Gathered") -> Fleet:
    """Return the units of each model among the results of the page."""
    return fleet(gathered.records, gathered.coverages)


def section(whole: Fleet) -> Section | None:
    """Return the section, or None if no model was measured on several units and no result comes from a lab.

    The coverage stands first, so that the units that were measured are not taken for the fleet.
    """
    several = [model for model in whole.models if any(len(study.units) > 1 for study in whole.of(model))]
    if not several and not whole.coverages:
        return None
    blocks: list[Block] = [*_coverage(whole)]
    for number, model in enumerate(several):
        studies = [study for study in whole.of(model) if len(study.units) > 1]
        if number < _CHARTS:
            from bench.report.charts.fleet import units_chart

            blocks.append(units_chart(f"chart-fleet-{number}", _leading(studies)))
        blocks.extend((_of_model(number, model, studies), _of_units(number, model, studies)))
    if len(several) > _CHARTS:
        blocks.append(Missing(f"{len(several) - _CHARTS} more models", "the page draws the first; the tables have all"))
    if not several:
        blocks.append(Missing("Spread", "no model was measured on more than one unit"))
    if sentences := tuple(table.tests(whole.studies)):
        blocks.append(Facts("Definitions", tuple((one.partition(":")[0], one.partition(": ")[2]) for one in sentences)))
    return Section(
        "fleet",
        "Fleet: units of one model",
        "How far units of one model differ, after the errors of each unit are taken away. Units that were not measured "
        "come first.",
        tuple(blocks),
    )


def _coverage(whole: Fleet) -> "list[Block]":
    blocks: list[Block] = [Missing("Coverage", line) for line in table.coverage_lines(whole)]
    for number, covered in enumerate(whole.coverages):
        rows = tuple(
            (
                Cell(row.job.host),
                Cell(row.job.device),
                Cell(row.job.workload),
                Cell("", row.state, (Chip(row.state, "good" if row.state == "measured" else "bad"),)),
                Cell(row.reason or ", ".join(row.results)),
            )
            for row in covered.rows
        )
        caption = f"Coverage of {covered.lab}, run {covered.run_id}: {covered.line()}"
        columns = ("Host", "Device", "Workload", "State", "Reason or result")
        key = f"fleet-coverage-{number}"
        blocks.append(Table(key, caption, columns, rows, sortable=True, roomy=frozenset({4})))
    return blocks


def _leading(studies: "list[Study]") -> Study:
    """Return the figure that is drawn: energy per unit of work by the best meter, else the rate."""
    energies = [study for study in studies if study.kind.group == "energy"]
    return min(energies, key=lambda study: (study.kind.tier, -len(study.units)), default=studies[0])


def _of_model(number: int, model: "Model", studies: "list[Study]") -> Table:
    rows = tuple(tuple(map(Cell, row)) for row in table.model_rows(studies))
    columns = tuple(heading.capitalize() for heading in table.MODEL_COLUMNS)
    return Table(
        f"fleet-{number}",
        table.title_of(model),
        columns,
        rows,
        numeric=frozenset(range(1, 9)),
        note=". ".join(one[:1].upper() + one[1:] for one in table.captions(studies)),
    )


def _of_units(number: int, model: "Model", studies: "list[Study]") -> Table:
    rows = []
    for study in studies:
        for at, unit in enumerate(study.units):
            texts = table.unit_row(study, at)
            marks: list[tuple[str, Tone]] = [("outlier", "bad")] if unit in study.outliers else []
            drifting = unit.id in study.drifts and study.drifts[unit.id].drifts
            marks += [("drifts", "warn")] if drifting else []
            rows.append(
                (
                    Cell(texts[0]),
                    Cell(texts[1], unit.id, tuple(Chip(*mark) for mark in marks)),
                    Cell(texts[2]),
                    figure_cell(texts[3], unit.value),
                    *map(Cell, texts[4:]),
                )
            )
    columns = tuple(heading.capitalize() for heading in table.UNIT_COLUMNS)
    numeric = frozenset(range(3, 8))
    return Table(f"fleet-units-{number}", f"Units of {model.device}", columns, tuple(rows), numeric, sortable=True)
