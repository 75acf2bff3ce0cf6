"""`perwatt list results`: the stored results, and the trend of one metric over them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import examples
from bench.cli.options import WholeRange, json_option, results_option
from bench.cli.output import counted, emit_json, quantity, rate, say, warn
from bench.cli.table import print_table

if TYPE_CHECKING:
    from bench.results.history import Headline, Point

LAST = 40


@click.command(
    epilog=examples(
        "perwatt list results --last 10",
        "perwatt list results --workload sha256d_scan_cpu",
        "perwatt list results --trend rate --workload sha256d_scan_cpu",
    )
)
@results_option
@click.option("--workload", help="List only results of this workload.", shell_complete=completion.workloads)
@click.option("--trend", "metric", metavar="METRIC", help="Show one metric over time, such as rate.")
@click.option("--last", type=WholeRange(min=1), default=LAST, show_default=True, help="Number of rows in the table.")
@json_option
def results(store: Path, workload: str | None, metric: str | None, last: int, as_json: bool) -> None:
    """List the stored results, the oldest first.

    With --trend, list one metric over all results instead.
    """
    from bench.results.history import headlines, unchanged
    from bench.results.layout import unfinished_folders

    stored = list(headlines(store, warn))
    unfinished = unfinished_folders(store)
    if unfinished:
        folders = counted(len(unfinished), "unfinished temporary folder")
        warn(f"{folders} of killed runs ignored, the first is {unfinished[0]}")
    if metric is not None:
        _trend(list(unchanged(stored, warn)), metric, workload, last, store, as_json=as_json)
        return
    kept = [line for line in stored if workload in (None, line.workload)]
    has_levels = any(line.level for line in kept)
    rows = [_row(line, has_levels=has_levels) for line in kept]
    if as_json:
        emit_json(rows)
    elif not rows:
        say("none")
    else:
        if len(rows) > last:
            say(f"the last {last} of {len(rows)} results (--last shows more, --json shows all)")
        columns = list(rows[0])
        print_table(
            columns,
            [list(row.values()) for row in rows[-last:]],
            optional=[columns.index("plan"), columns.index("variant")],
        )


def _row(line: "Headline", *, has_levels: bool) -> dict[str, Any]:
    headline, energy = line.metrics.get("rate"), line.energy_per_unit
    return {
        "result": line.id,
        "status": line.status,
        "variant": line.variant,
        "plan": line.plan,
        **({"level": line.level or "-"} if has_levels else {}),
        "rate": rate(headline["value"], headline["unit"]) if headline else "-",
        "energy": _energy(energy) if energy else "not metered",
    }


def _energy(metric: dict[str, Any]) -> str:
    return f"{quantity(metric['value'], metric['unit'])} ({metric.get('boundary')})"


def _trend(
    stored: "list[Headline]", metric: str, workload: str | None, last: int, store: Path, *, as_json: bool
) -> None:
    from bench.results.history import by_workload, summary, trend

    points = trend(stored, metric, workload)
    summaries = {name: summary(group) for name, group in by_workload(points).items()}
    coverage, spreads = _of_fleet(points, metric, store)
    if as_json:
        rows = [
            {
                "result": point.headline.id,
                "started_utc": point.headline.started_utc,
                "workload": point.headline.workload,
                "version": point.headline.version,
                "device": point.headline.device,
                "unit_under_test": point.headline.unit or None,
                "host": point.headline.host or None,
                "value": point.value,
                "unit": point.unit,
                "interval_95": point.interval,
                "change_frac": point.change_frac,
            }
            for point in points
        ]
        head = {"schema": "perwatt.trend/2", "metric": metric, "summaries": summaries}
        emit_json({**head, "coverage": coverage, "fleet": spreads, "points": rows})
        return
    for line in coverage:
        say(line)
    several = len({point.headline.host for point in points}) > 1
    print_table(
        ("result", "workload", *(("host",) if several else ()), metric, "95 %", "change"),
        [
            (
                point.headline.id,
                point.headline.workload,
                *((point.headline.host or "unknown",) if several else ()),
                quantity(point.value, point.unit),
                f"± {(point.interval[1] - point.interval[0]) / 2 / point.value:.2%}"
                if point.interval
                else "one window",
                f"{point.change_frac:+.1%}",
            )
            for point in points[-last:]
        ],
        right=(3, 4, 5) if several else (2, 3, 4),
        optional=() if len(summaries) > 1 else (1,),
    )
    for name, whole in summaries.items():
        unit = whole["unit"]
        say(
            f"{name}, {counted(whole['n'], 'result')}: median {quantity(whole['median'], unit)}, "
            f"from {quantity(whole['least'], unit)} to {quantity(whole['most'], unit)}"
        )
    say("the change is against the first result of the same workload, version, device and unit")
    for line in spreads:
        say(line)


def _of_fleet(points: "list[Point]", metric: str, store: Path) -> tuple[list[str], list[str]]:
    """Return the coverage, and a line for each model with several units: their spread, outliers and drift."""
    if len({point.headline.unit for point in points}) < 2:
        return [], []
    from bench.fleet.study import fleet
    from bench.fleet.table import coverage_lines, study_line, tests
    from bench.results.folder import read_record
    from bench.results.labs.coverage import coverages

    of_lab = coverages(store, [point.headline.id for point in points])
    whole = fleet((read_record(point.headline.folder) for point in points), of_lab)
    studies = [study for study in whole.studies if study.kind.is_of(metric) and len(study.units) > 1]
    if not studies:
        return [], []
    covered = [f"coverage: {one.lab}, run {one.run_id}: {one.line()}" for one in of_lab]
    return [*covered, *coverage_lines(whole)], [*map(study_line, studies), *tests(studies)]
