"""Section 4 of the page: traces of power over each window, with idle power, throttling and invalid windows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.report.blocks import Block, Grid, Missing, Section
from bench.report.charts.svg import Chart
from bench.report.charts.trace import trace_chart

if TYPE_CHECKING:
    from bench.report.gather import Gathered, Stored

MOST = 8
"""Number of traces that a page draws; more would make it slow, so the others are only counted."""


def section(gathered: "Gathered") -> Section:
    """Return the section of traces."""
    blocks: list[Block] = []
    if not gathered.results:
        blocks.append(Missing("Traces", "no result on this page"))
    chosen = _chosen(gathered.results)
    traces = [(_trace(number, stored), bool(stored.record.meters)) for number, stored in enumerate(chosen)]
    blocks.extend(one for one, _ in traces if isinstance(one, Missing))
    for metered in (True, False):
        charts = tuple(one for one, has_power in traces if isinstance(one, Chart) and has_power is metered)
        if charts:
            blocks.append(Grid(charts, roomy=metered))
    left_out = len(gathered.results) - len(chosen)
    if left_out:
        blocks.append(
            Missing(
                f"{left_out} more results",
                f"a page draws the {MOST} newest results, metered ones first; `perwatt report ID` draws any other",
            )
        )
    if gathered.results and not any(stored.record.meters for stored in gathered.results):
        blocks.insert(
            0,
            Missing(
                "Power",
                "no meter covered these runs, so the charts show the rate of each call; name a meter "
                "(--meter shelly:HOST, --meter trace:FILE), see `perwatt list meters`",
            ),
        )
    return Section(
        "traces",
        "Traces: every window",
        "Power over time by meter, with the windows shaded. Energy is measured within the windows only; invalid "
        "windows are hatched, with the reason.",
        tuple(blocks),
    )


def _chosen(results: "Sequence[Stored]") -> "list[Stored]":
    """Return the results to draw, ordered by time: metered ones before others, newer ones before older."""
    ranked = sorted(results, key=lambda one: (bool(one.record.meters), one.record.run.started_utc), reverse=True)
    chosen = [one for one in ranked if one.record.windows][:MOST] + [one for one in ranked if not one.record.windows][
        :MOST
    ]
    return sorted(chosen, key=lambda one: one.record.run.started_utc)


def _trace(number: int, stored: "Stored") -> Chart | Missing:
    from bench.report.gather import without_folder
    from bench.results.samples import read_samples
    from hardware_profiles.errors import InputError

    record = stored.record
    name = f"{record.workload.name} {record.workload.variant}".strip()
    title = f"{name}, {record.run.started_utc:%Y-%m-%d %H:%M} UTC"
    if not record.windows:
        codes = ", ".join(reason.code for reason in record.reasons) or "no reason stored"
        return Missing(title, f"{record.status}: no window was taken ({codes})")
    try:
        samples = read_samples(stored.folder).to_pydict()
        return trace_chart(f"trace-{number}", title, record, samples)
    except InputError as fault:
        return Missing(title, f"no samples to draw: {without_folder(str(fault), stored.folder)}")
