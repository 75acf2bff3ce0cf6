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
    from bench.results.history import Headline

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
        _trend(list(unchanged(stored, warn)), metric, workload, last, as_json=as_json)
        return
    rows = [_row(line) for line in stored if workload in (None, line.workload)]
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


def _row(line: "Headline") -> dict[str, Any]:
    headline, energy = line.metrics.get("rate"), line.energy_per_unit
    return {
        "result": line.id,
        "status": line.status,
        "variant": line.variant,
        "plan": line.plan,
        "rate": rate(headline["value"], headline["unit"]) if headline else "-",
        "energy": _energy(energy) if energy else "not metered",
    }


def _energy(metric: dict[str, Any]) -> str:
    return f"{quantity(metric['value'], metric['unit'])} ({metric.get('boundary')})"


def _trend(stored: "list[Headline]", metric: str, workload: str | None, last: int, *, as_json: bool) -> None:
    from bench.results.history import by_workload, summary, trend

    points = trend(stored, metric, workload)
    summaries = {name: summary(group) for name, group in by_workload(points).items()}
    if as_json:
        rows = [
            {
                "result": point.headline.id,
                "started_utc": point.headline.started_utc,
                "workload": point.headline.workload,
                "version": point.headline.version,
                "device": point.headline.device,
                "value": point.value,
                "unit": point.unit,
                "interval_95": point.interval,
                "change_frac": point.change_frac,
            }
            for point in points
        ]
        emit_json({"schema": "perwatt.trend/2", "metric": metric, "summaries": summaries, "points": rows})
        return
    print_table(
        ("result", "workload", metric, "95 %", "change"),
        [
            (
                point.headline.id,
                point.headline.workload,
                quantity(point.value, point.unit),
                f"± {(point.interval[1] - point.interval[0]) / 2 / point.value:.2%}"
                if point.interval
                else "one window",
                f"{point.change_frac:+.1%}",
            )
            for point in points[-last:]
        ],
        right=(2, 3, 4),
        optional=() if len(summaries) > 1 else (1,),
    )
    for name, whole in summaries.items():
        unit = whole["unit"]
        say(
            f"{name}, {counted(whole['n'], 'result')}: median {quantity(whole['median'], unit)}, "
            f"from {quantity(whole['least'], unit)} to {quantity(whole['most'], unit)}"
        )
    say("the change is against the first result of the same workload, version and device")
