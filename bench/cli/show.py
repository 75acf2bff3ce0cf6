"""`perwatt show`: one result or one profile with its sources."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import examples
from bench.cli.options import json_option, profiles_option, results_option, signers_option
from bench.cli.output import emit_json, j_per_th_with_unit, plain, quantity, quantity_range, say, warn
from bench.cli.table import print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.results.record import MetersGap, MeterUsed, Metric, Record
    from hardware_profiles.profile import Device


@click.command(
    epilog=examples(
        "perwatt show antminer-s21", "perwatt show antminer-s21:200t --json", "perwatt show latest:sha256d_scan_cpu"
    )
)
@click.argument("name", shell_complete=completion.results_and_profiles)
@results_option
@profiles_option
@signers_option()
@json_option
def show(name: str, store: Path, own: tuple[Path, ...], signers: Path | None, as_json: bool) -> None:
    """Show one result or profile with its sources.

    NAME is the id of a result, the first characters of an id, the path of a result folder, latest:WORKLOAD, or the
    name of a profile. curve:ID shows the levels of the sweep that a result belongs to.
    """
    from bench.compare.load import find_named
    from bench.results.folder import artifact_faults, read_signable
    from bench.results.integrity.signature import State, signature_of
    from sites.operating_points import CURVE_PREFIX

    if name.startswith(CURVE_PREFIX):
        _show_curve(name.removeprefix(CURVE_PREFIX), store, as_json=as_json)
        return
    folder = find_named(name, store, own)
    if not isinstance(folder, Path):
        _show_profile(folder.device, as_json=as_json)
        return
    record, text = read_signable(folder)
    faults = artifact_faults(folder, record)
    if as_json:
        emit_json(record.model_dump(mode="json"))
    else:
        _show_record(record, folder, faults)
        signature = signature_of(folder, text, signers)
        if signature.state is not State.UNSIGNED and not faults:
            say(f"signed    {signature.words()}")
    for fault in faults.values():
        warn(fault)


def _show_curve(name: str, store: Path, *, as_json: bool) -> None:
    from bench.cli.sweep.tables import curve_document, print_curve
    from bench.sweep.curve import curve_of, records_of

    curve = curve_of(records_of(store, name))
    if as_json:
        emit_json(curve_document(curve))
    else:
        print_curve(curve)


def _show_record(record: "Record", folder: Path, faults: "Mapping[str, str]") -> None:
    from bench import diagnostics
    from bench.cli.ramp.tables import print_evidence
    from bench.cli.run.asic_tables import print_miner

    work, run = record.workload, record.run
    say(f"{record.id}   {record.status}   {folder}")
    say(f"workload  {work.name} version {work.version}, variant {work.variant or '-'}, unit {work.unit}")
    say(f"          {', '.join(f'{key} {value}' for key, value in work.parameters.items())}")
    settings = (f"{key} {'not reported' if value is None else value}" for key, value in record.device.settings.items())
    say(f"device    {record.device.name}; {', '.join(settings)}")
    commit = (
        f"{run.commit[:12]}{' with uncommitted changes' if run.commit_dirty else ''}"
        if run.commit
        else "unknown (not run from a checkout)"
    )
    say(f"run       {run.started_utc:%Y-%m-%d %H:%M:%S} UTC, plan {run.plan}")
    say(f"code      perwatt {run.perwatt_version}, commit {commit}")
    if record.supersedes:
        say(f"replaces  {record.supersedes}")
    for line in _meter_lines(record):
        say(line)
    if record.assumed_power_w is not None:
        assumed = record.assumed_power_w
        say(f"assumed   {assumed.power_w:g} W at the {assumed.boundary}: {assumed.source}")
    if work.unit == "token":
        from bench.results.token_tags import tags_of

        say(f"tags      {tags_of(record).words()}")
    if record.metrics:
        print_table(
            ("figure", "value", "95 % interval", "windows", "spread", "basis", "boundary", "tier"),
            [_metric_row(name, metric) for name, metric in record.metrics.items()],
            right=(1, 2, 3, 4),
        )
    for line in work.verification:
        say(f"verified  {line}")
    print_miner(record)
    print_evidence(record)
    for kind, reasons in (("invalid", record.reasons), ("warning", record.warnings)):
        for reason in reasons:
            detail = f" [{reason.detail}]" if reason.detail else ""
            say(f"{kind}   {diagnostics.sentence(reason.code)}{detail}")
    for artifact in record.artifacts:
        now = " when written; CHANGED SINCE" if artifact.name in faults else ""
        say(f"file      {artifact.name}, {artifact.size_bytes} bytes, sha256 {artifact.sha256}{now}")


def _meter_lines(record: "Record") -> Iterator[str]:
    """Yield lines about the windows, the meters, the idle power and the steadiness of a record."""
    run = record.run
    if run.window_s is not None:
        planned = f"{len(record.windows)} windows of {run.window_s:g} s ({run.window_why})"
        lead = f", load {run.lead_s:g} s before and {run.tail_s:g} s after" if run.lead_s else ""
        yield f"windows   {planned}{lead}"
    if run.harness_overhead_frac is not None:
        yield f"          overhead of the runner: {run.harness_overhead_frac:.3%} of the windows"
    yield f"meters    {', '.join(record.meters) or 'not metered'}"
    for meter in record.meters_used:
        yield from _used_lines(meter)
    for gap in record.meters_gaps:
        yield f"          {_gap_text(gap)}"
    for idle in record.idle:
        yield f"idle      {idle.meter}: {plain(idle.power_w)} W {idle.when}, over {idle.duration_s:.0f} s"
    steady = record.steadiness
    if steady is not None:
        parts = []
        if steady.rate_halves_frac is not None:
            parts.append(f"rate {steady.rate_halves_frac:+.2%}")
        parts += [f"{meter} {change:+.2%}" for meter, change in steady.power_halves_frac.items()]
        if parts:
            yield f"steady    second half against first half: {', '.join(parts)}"


def _used_lines(meter: "MeterUsed") -> Iterator[str]:
    """Yield lines about one meter: its properties, then column, unit, channel and hash of its source or its parts."""
    accuracy = f"± {meter.accuracy_frac:.2%}" if meter.accuracy_frac is not None else "accuracy unknown"
    yield (
        f"          {meter.name}: {meter.kind}, {meter.boundary}, tier {meter.tier}, {accuracy} "
        f"({meter.accuracy_source}), every {meter.period_s:.3g} s; {meter.scope}"
    )
    for part in meter.parts or (meter,):
        source = (
            f"column {part.column!r}" if part.column else "",
            part.rows,
            f"in {part.unit}" if part.unit else "",
            f"channel {part.channel}" if part.channel else "",
            f"sha256 {part.sha256}" if part.sha256 else "",
        )
        if any(source):
            yield f"          {part.name}: {', '.join(filter(None, source))}"


def _gap_text(gap: "MetersGap") -> str:
    """Return a sentence on how far two meters disagree."""
    inner = f"{gap.inner} ({gap.inner_boundary})"
    return f"{inner} read {gap.inner_over_outer:.1%} of {gap.outer} ({gap.outer_boundary})"


def _metric_row(name: str, metric: "Metric") -> tuple[str, ...]:
    low_high = metric.interval_95
    return (
        name,
        quantity(metric.value, metric.unit),
        quantity_range(*low_high, metric.unit) if low_high else "one window",
        str(metric.n),
        f"{metric.relative_sd_frac:.2%}" if metric.relative_sd_frac is not None else "-",
        metric.basis,
        metric.boundary or "",
        metric.tier or "",
    )


_COMPUTED: dict[str, "Callable[[float], str]"] = {
    "j_per_th": j_per_th_with_unit,
    "server_w_per_gpu": lambda watts: f"{plain(watts)} W/GPU (server)",
    "rack_w_per_gpu": lambda watts: f"{plain(watts)} W/GPU (rack)",
}


def _say_computed(device: "Device", described: dict[str, Any]) -> None:
    for name, computed in described["computed"].items():
        parts = [_COMPUTED[key](value) for key, value in computed.items()]
        if parts:
            say(f"computed {name}: {', '.join(parts)}")
    for step, marginal in described["marginal_j_per_th"].items():
        say(f"marginal {step}: {j_per_th_with_unit(marginal)}")
    if device.features:
        say(f"features ({device.feature_confidence}): {', '.join(device.features)}")


def _show_profile(device: "Device", *, as_json: bool) -> None:
    from bench.compare.catalogue_table import describe

    described = describe(device)
    if as_json:
        emit_json(described)
        return
    say(f"{device.slug}   {device.maker} {device.model}   {device.kind}, released {device.released}")
    numbers = {name: number for number, name in enumerate(device.sources, 1)}
    print_table(
        ("figure", "value", "unit", "basis", "confidence", "date", "tolerance", "sources"),
        [
            (
                key,
                f"{figure.value:g}",
                figure.unit,
                figure.basis,
                figure.confidence,
                figure.date,
                f"± {figure.tolerance_frac:.0%}" if figure.tolerance_frac is not None else "unknown",
                ", ".join(str(numbers[name]) for name in figure.sources) or "none",
            )
            for key, figure in device.every_figure()
        ],
        right=(1,),
    )
    _say_computed(device, described)
    for source in device.sources.values():
        say(f"source {numbers[source.id]}, {source.id}: {source.title}; {source.address}; read {source.read}")
        if source.cites:
            say(f"    cites (we have not read it): {source.cites}")
        for printed in source.printed:
            say(f"    printed: {printed}")
    for other in device.disagreements:
        say(f"conflict: {other.source} prints {other.figure} = {other.value:g}. {other.note}")
    for note in device.notes:
        say(f"note: {note}")
