"""`perwatt list results`: what is stored, and how one metric went over time."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import FOLDER, json_option
from bench.cli.output import emit_json, quantity, rate, say, warn
from bench.cli.table import print_table
from bench.results.layout import STORE

if TYPE_CHECKING:
    from bench.results.history import Headline

LAST = 40


@click.command()
@click.option("--out", "store", type=FOLDER, default=STORE, show_default=True, help="Results folder.")
@click.option("--workload", help="Only results of this workload.")
@click.option("--trend", "metric", help="One metric over time: rate, energy_per_hash_wall, …")
@click.option("--last", type=click.IntRange(min=1), default=LAST, show_default=True, help="Rows that the table shows.")
@json_option
def results(store: Path, workload: str | None, metric: str | None, last: int, as_json: bool) -> None:
    """List the stored results, oldest first; with --trend, one metric over them."""
    from bench.results.history import headlines, unchanged
    from bench.results.layout import unfinished_folders

    found = list(headlines(store, warn))
    left = unfinished_folders(store)
    if left:
        warn(f"{len(left)} unfinished temporary folder(s) ignored, left by a killed run: {left[0]}")
    if metric is not None:
        _trend(list(unchanged(found, warn)), metric, workload, last, as_json=as_json)
        return
    rows = [_row(line) for line in found if workload in (None, line.workload)]
    if as_json:
        emit_json(rows)
    elif not rows:
        say("none")
    else:
        if len(rows) > last:
            say(f"the last {last} of {len(rows)} results (--last for more, --json for all)")
        columns = list(rows[0])
        print_table(
            columns,
            [list(row.values()) for row in rows[-last:]],
            optional=[columns.index("plan"), columns.index("variant")],
        )


def _row(line: "Headline") -> dict[str, Any]:
    headline = line.metrics.get("rate")
    energies = [figure for name, figure in line.metrics.items() if name.startswith("energy_per_")]
    energy = min(energies, key=lambda figure: figure.get("tier") or "Z", default=None)
    return {
        "result": line.id,
        "status": line.status,
        "variant": line.variant,
        "plan": line.plan,
        "rate": rate(headline["value"], headline["unit"]) if headline else "-",
        "energy": f"{energy['value']:.4g} {energy['unit']} ({energy.get('boundary')})" if energy else "not metered",
    }


def _trend(found: "list[Headline]", metric: str, workload: str | None, last: int, *, as_json: bool) -> None:
    from bench.results.history import summary, trend

    points = trend(found, metric, workload)
    whole = summary(points)
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
        emit_json({"schema": "perwatt.trend/1", "metric": metric, "summary": whole, "points": rows})
        return
    print_table(
        ("result", "workload", metric, "95 %", "since the first"),
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
        optional=(1,),
    )
    unit = whole["unit"]
    say(
        f"{whole['n']} results: median {quantity(whole['median'], unit)}, from {quantity(whole['least'], unit)} "
        f"to {quantity(whole['most'], unit)}; the figures beside `since the first` compare like with like only: "
        "same workload, version and device"
    )
