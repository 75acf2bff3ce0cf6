"""Section 4: what the meters saw: power over each window, idle, edges, throttling, and what is invalid."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.report.blocks import Block, Grid, Missing, Section
from bench.report.charts.svg import Chart
from bench.report.charts.trace import trace_chart

if TYPE_CHECKING:
    from bench.report.gather import Gathered, Stored

MOST = 8
"""Traces that a page draws: more would make it slow and heavy; the rest are named."""


def section(gathered: "Gathered") -> Section:
    """Return the section of traces."""
    blocks: list[Block] = []
    if not gathered.results:
        blocks.append(Missing("Traces", "no result on this page"))
    chosen = _chosen(gathered.results)
    found = [(_trace(number, stored), bool(stored.record.meters)) for number, stored in enumerate(chosen)]
    blocks.extend(one for one, _ in found if isinstance(one, Missing))
    for metered in (True, False):
        charts = tuple(one for one, has_power in found if isinstance(one, Chart) and has_power is metered)
        if charts:
            blocks.append(Grid(charts, roomy=metered))
    left_out = len(gathered.results) - len(chosen)
    if left_out:
        blocks.append(
            Missing(
                f"{left_out} more results",
                f"a page draws the {MOST} newest, metered ones first; `perwatt report ID` draws one that you name",
            )
        )
    if gathered.results and not any(stored.record.meters for stored in gathered.results):
        blocks.insert(
            0,
            Missing(
                "Power",
                "no meter covered these runs, so what is drawn is the rate of each call; "
                "name one (--meter shelly:HOST, --meter trace:FILE), see `perwatt list meters`",
            ),
        )
    return Section(
        "traces",
        "Traces: every window",
        "Power over time by each meter, the windows shaded between their edges. Energy is read inside the windows "
        "only; what is invalid is hatched and says why.",
        tuple(blocks),
    )


def _chosen(results: "Sequence[Stored]") -> "list[Stored]":
    """Return the results to draw, metered ones first, newest first, and those that have no window to draw, by time."""
    ranked = sorted(results, key=lambda one: (bool(one.record.meters), one.record.run.started_utc), reverse=True)
    chosen = [one for one in ranked if one.record.windows][:MOST] + [one for one in ranked if not one.record.windows][
        :MOST
    ]
    return sorted(chosen, key=lambda one: one.record.run.started_utc)


def _trace(number: int, stored: "Stored") -> Chart | Missing:
    from bench.report.gather import without_place
    from bench.results.folder import read_samples
    from hardware_profiles.errors import InputError

    record = stored.record
    name = f"{record.workload.name} {record.workload.variant}".strip()
    what = f"{name}, {record.run.started_utc:%Y-%m-%d %H:%M} UTC"
    if not record.windows:
        codes = ", ".join(reason.code for reason in record.reasons) or "no reason stored"
        return Missing(what, f"{record.status}: no window was taken ({codes})")
    try:
        samples = read_samples(stored.folder).to_pydict()
        return trace_chart(f"trace-{number}", what, record, samples)
    except InputError as fault:
        return Missing(what, f"no samples to draw: {without_place(str(fault), stored.folder)}")
    except (KeyError, TypeError, ValueError) as fault:
        return Missing(what, f"samples.parquet has not the columns of a sample: {fault}")
