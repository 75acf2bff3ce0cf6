"""The tables of `perwatt ramp` and `perwatt list ramps`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.output import quantity, quantity_range, say
from bench.cli.table import print_table

if TYPE_CHECKING:
    from bench.ramp.table import RampRow
    from bench.results.record import Record


def print_ramp(record: "Record", store: Path) -> None:
    """Print the figures of one ramp, each with its interval, and what it says to a site."""
    from bench import diagnostics
    from bench.ramp.table import WORDS
    from bench.ramp.terms import measured_ramp
    from sites.storage.ramps import RAMP_PREFIX

    if record.metrics:
        print_table(
            ("figure", "value", "95 % interval"),
            [
                (
                    WORDS.get(name, name),
                    quantity(metric.value, metric.unit),
                    quantity_range(*metric.interval_95, metric.unit) if metric.interval_95 else "",
                )
                for name, metric in record.metrics.items()
            ],
            right=(1, 2),
        )
    for reason in record.warnings:
        say(f"warning    {diagnostics.sentence(reason.code)}{f' [{reason.detail}]' if reason.detail else ''}")
    parameters = record.workload.parameters
    if parameters.get("shortest_off_s") is not None:
        say(
            f"time off   {parameters['shortest_off_s']:g} to {parameters['longest_off_s']:g} s: after another time the "
            "device may start otherwise"
        )
    say(f"stored     {store / record.id}")
    if record.status == "ok":
        name = f"{RAMP_PREFIX}{record.id}"
        say(f'for a site ramp = "{name}" in a block; for a unit ramp_up_s = "{name}"')
        say(f"           {measured_ramp(name, record).words()}")


def print_evidence(record: "Record") -> None:
    """Print the rule of a stored ramp and the bounds of each repetition; nothing for other results."""
    evidence = record.ramp
    if evidence is None:
        return
    say(
        f"ramp      readings up to {evidence.meter_late_s:g} s old, mean over {evidence.meter_averaging_s:g} s; rate "
        f"averaged over {evidence.rate_averaging_s:g} s"
    )
    for line in evidence.rule:
        say(f"rule      {line}")
    for number, one in enumerate(evidence.repetitions, 1):
        times = {
            "off": one.off_time_s,
            "on": one.on_time_s,
            "full power": one.full_power_time_s,
            "full rate": one.full_rate_time_s,
        }
        words = (f"to {name} {low:.1f} to {high:.1f} s" for name, span in times.items() if span for low, high in [span])
        say(f"switch {number}  {one.off_s:.0f} s off: {', '.join(words)}")


def print_ramps(rows: "Sequence[RampRow]") -> None:
    """Print a line for each stored ramp."""
    from bench.ramp.table import TIMES, WORDS

    print_table(
        ("result", "device", "off [s]", *(f"{WORDS[name]} [s]" for name in TIMES), "a start [kJ]"),
        [
            (
                row.result,
                f"{row.device}{' (SIMULATED)' if row.simulated else ''}",
                _off(row),
                *(_figure(row, name) for name in TIMES),
                _figure(row, "start_energy"),
            )
            for row in rows
        ],
        right=tuple(range(2, 8)),
    )


def _off(row: "RampRow") -> str:
    if row.off_s is None:
        return "-"
    shortest, longest = (f"{off_s:.0f}" for off_s in row.off_s)
    return shortest if shortest == longest else f"{shortest} to {longest}"


def _figure(row: "RampRow", name: str) -> str:
    metric = row.figures.get(name)
    if metric is None:
        return ", ".join(row.reasons) if row.status != "ok" and name == "off_time" else "-"
    low, high = metric.interval_95 or (metric.value, metric.value)
    half = (high - low) / 2.0
    scale = 1e3 if metric.unit == "J" else 1.0
    digits = 0 if half / scale >= 10.0 else 1
    return f"{metric.value / scale:.{digits}f} ± {half / scale:.{digits}f}"
