"""The tables of `perwatt run endpoint`: one line a load, the best load, and the checks behind the figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.output import plain, say
from bench.cli.run.tables import print_notes
from bench.cli.table import print_table

if TYPE_CHECKING:
    from bench.endpoint.figures.summary import Limits
    from bench.results.record import Metric, Record

UNITS = ("total_token", "request", "good_request")
"""What energy is stated for besides output tokens."""


def print_endpoint(records: "Sequence[Record]", store: Path, limits: "Limits") -> None:
    """Print the measured loads for people."""
    first = next((record for record in records if record.endpoint is not None), records[0])
    parameters = first.workload.parameters
    server = f"{first.workload.variant} {parameters.get('server_version') or ''}".strip()
    say(f"server     {parameters.get('url')}, {server}, model {parameters.get('model')}")
    say(f"requests   {parameters.get('lengths')} tokens in:out, {parameters.get('prompts')} prompts, "
        f"tokens from {str(parameters.get('tokens_from')).replace('_', ' ')}")  # fmt: skip
    _print_loads(records)
    _print_energy(records)
    if len(records) > 1:
        _print_best(records, limits)
    _print_checks(records)
    print_notes(records)
    say(f"stored in {store}/: {', '.join(record.id for record in records)}")


def _print_loads(records: "Sequence[Record]") -> None:
    print_table(
        ["load", "output tok/s", "95 % interval", "input tok/s", "TTFT q50", "TTFT q90", "TPOT q50", "TPOT q90",
         "requests", "good requests/s"],
        [
            (
                _load(record),
                plain(record.rate.value) if record.rate else record.status.upper(),
                _interval(record.rate),
                _value(record, "input_token_rate"),
                *(_ms(record, name) for name in ("ttft_q50", "ttft_q90", "tpot_q50", "tpot_q90")),
                sum(record.endpoint.outcomes.values()) if record.endpoint else "-",
                _value(record, "good_request_rate"),
            )
            for record in records
        ],
        title="Measured",
        right=range(1, 10),
        optional=(3, 9, 5),
    )  # fmt: skip


def _print_energy(records: "Sequence[Record]") -> None:
    metered = [record for record in records if record.energy_per_unit is not None]
    if not metered:
        assumed = records[0].assumed_power_w
        say(f"energy     not metered: rates only{f'; {assumed.power_w:g} W assumed' if assumed else ''}")
        return
    boundary = (metered[0].energy_per_unit or metered[0].power).boundary  # type: ignore[union-attr]
    print_table(
        ["load", "power W", "J/output token", "95 % interval", "J/total token", "J/request", "J/good request",
         "tokens/kWh"],
        [
            (
                _load(record),
                plain(record.power.value) if record.power else "-",
                plain(energy.value),
                _interval(energy),
                *(_value(record, f"joules_per_{unit}_{boundary}") for unit in UNITS),
                plain(3.6e6 / energy.value),
            )
            for record in metered
            if (energy := record.energy_per_unit) is not None
        ],
        title=f"Energy at the {boundary}, gross, over the same seconds",
        right=range(1, 8),
        optional=(6, 7),
    )  # fmt: skip


def _print_best(records: "Sequence[Record]", limits: "Limits") -> None:
    from bench.endpoint.sweep.choice import best, is_host_bound, pareto
    from bench.endpoint.sweep.records import points_of

    points = points_of(records)
    if not points:
        return
    choice = best(points, limits)
    if choice is None:
        say("best       no load keeps the limits")
    else:
        alike = [point.concurrency for point in choice.alike]
        others = f"; cannot be told apart: {', '.join(map(str, alike))}" if len(alike) > 1 else ""
        say(f"best       {choice.best.concurrency} at a time, by {choice.by}{others}")
    front = ", ".join(str(point.concurrency) for point in pareto(points))
    say(f"pareto     {front}: no other load is better in throughput, speed for one user and energy at once")
    for point in is_host_bound(points):
        say(f"host       at {point.concurrency} power and throughput fall although the load rises: the host limits it")


def _print_checks(records: "Sequence[Record]") -> None:
    for record in records:
        part = record.endpoint
        if part is None:
            continue
        failed = {name: count for name, count in part.outcomes.items() if name != "ok"}
        if failed:
            say(f"outcomes   {_load(record)}: {', '.join(f'{count} {name}' for name, count in failed.items())}")
        counts = part.server
        if counts is not None and counts.output_tokens is not None and counts.own_output_tokens:
            gap = counts.output_tokens / counts.own_output_tokens - 1.0
            running = "" if counts.running_mean is None else f"; {counts.running_mean:.1f} requests run"
            say(f"server     {_load(record)}: its own count of tokens differs by {gap:+.2%}{running}")


def _load(record: "Record") -> str:
    parameters = record.workload.parameters
    if parameters.get("concurrency") is not None:
        return f"{parameters['concurrency']} at a time"
    return f"{parameters.get('rate_per_s'):g} requests/s"


def _interval(metric: "Metric | None") -> str:
    if metric is None or metric.interval_95 is None:
        return "-"
    return f"{plain(metric.interval_95[0])} to {plain(metric.interval_95[1])}"


def _value(record: "Record", name: str) -> str:
    metric = record.metrics.get(name)
    return "-" if metric is None else plain(metric.value)


def _ms(record: "Record", name: str) -> str:
    metric = record.metrics.get(name)
    return "-" if metric is None else f"{plain(metric.value * 1e3, 3)} ms"
