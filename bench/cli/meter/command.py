"""`perwatt meter`: a look at a meter before a run."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bench.cli import completion
from bench.cli.commands import NearGroup, examples
from bench.cli.meter.log import log
from bench.cli.options import PositiveRange, clock_offset_option, json_option, meter_period_option
from bench.cli.output import counted, emit_json, quantity, say
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.meters.check import Look

LONGEST_S = 60.0  # [s] a live meter is read at most


@click.group(cls=NearGroup, epilog=examples("perwatt meter check trace:power.csv", "perwatt meter check rapl --json"))
def meter() -> None:
    """Check a meter before a run."""


meter.add_command(log)


@meter.command(
    epilog=examples(
        "perwatt meter check trace:power.csv",
        "perwatt meter check 'trace:power.csv,column=Power,unit=mW' --json",
        "perwatt meter check shelly:192.0.2.7 --seconds 10",
        "perwatt meter check modbus:10.0.0.9,table=eastron-sdm630",
    )
)
@click.argument("spec", metavar="SPEC", shell_complete=completion.meters)
@click.option(
    "--seconds",
    type=PositiveRange(LONGEST_S),
    help="How long to read a meter that is not a log [s].  [default: 3 s or ten readings, whichever is longer]",
)
@meter_period_option
@clock_offset_option
@json_option
def check(spec: str, seconds: float | None, meter_period_s: float | None, clock_offset_s: float, as_json: bool) -> None:
    """Show what a meter reads and how it is understood.

    A log is read in full, any other meter for a few seconds. The output has the first readings, the unit and the
    column, the update period, and what a run would refuse. A meter that no run could use is an error with status 2.
    """
    from bench.diagnostics import sentence
    from bench.meters.check import look
    from bench.meters.protocol import MeterOptions

    seen = look(spec, MeterOptions(period_s=meter_period_s, clock_offset_s=clock_offset_s), seconds)
    if seen.refused and not seen.info.sha256:  # a log may be right where a run needs it
        raise InputError(f"--meter {spec}: {sentence(seen.refused[0])}")
    if as_json:
        emit_json(_document(seen))
        return
    for line in _lines(seen):
        say(line)


def _document(seen: "Look") -> dict[str, object]:
    from bench.diagnostics import TABLE

    def rows(codes: tuple[str, ...]) -> list[dict[str, str]]:
        return [{"code": code, "sentence": TABLE[code].sentence, "cure": TABLE[code].cure} for code in codes]

    info = seen.info
    return {
        "meter": info.name,
        "kind": info.kind.value,
        "boundary": info.boundary,
        "tier": info.tier.value,
        "accuracy_frac": info.accuracy_frac,
        "mean_w": seen.mean_w,
        "unit": seen.unit,
        "column": info.column or None,
        "channel": info.channel or None,
        "rows": info.rows or None,
        "samples": seen.samples,
        "period_s": seen.period_s,
        "first": [{"utc": _utc(reading.utc_s), "value": reading.value} for reading in seen.first],
        "understood": list(seen.understood),
        "covers": info.scope or None,
        "points": list(seen.points),
        "notice": seen.notice,
        "refused": rows(seen.refused),
        "warnings": rows(seen.warnings),
        "sha256": info.sha256 or None,
    }


def _lines(seen: "Look") -> list[str]:
    from bench.diagnostics import sentence

    info = seen.info
    accuracy = f"± {info.accuracy_frac:.2%}" if info.accuracy_frac is not None else "accuracy unknown"
    source = [
        f"column {info.column!r}" if info.column else "",
        f"channel {info.channel}" if info.channel else "",
        info.rows,
        f"in {seen.unit}",
    ]
    period = f"a new value every {seen.period_s:.3g} s" if seen.period_s else "too few for an update period"
    span = f"from {_utc(seen.span_utc[0])} to {_utc(seen.span_utc[1])}"
    unit = "J" if info.kind.value == "counter" else "W"
    lines = [
        f"meter     {info.name}: {info.kind.value}, {info.boundary}, tier {info.tier.value}, {accuracy}",
        f"read as   {', '.join(filter(None, (*source, *seen.understood)))}",
        f"samples   {counted(seen.samples, 'sample')} {span}; {period}",
        f"mean      {quantity(seen.mean_w, 'W')}",
    ]
    for index, reading in enumerate(seen.first):
        value = "missing" if reading.value is None else f"{reading.value:.6g} {unit}"
        lines.append(f"{'first' if index == 0 else '':9} {_utc(reading.utc_s)}  {value}")
    lines += [f"covers    {info.scope}"] if info.scope else []
    lines += [f"{'figures' if index == 0 else '':9} {point}" for index, point in enumerate(seen.points)]
    lines += [f"note      {seen.notice}"] if seen.notice else []
    lines += [f"{'refused' if index == 0 else '':9} {sentence(code)}" for index, code in enumerate(seen.refused)]
    lines += [f"{'warning' if index == 0 else '':9} {sentence(code)}" for index, code in enumerate(seen.warnings)]
    return lines


def _utc(moment_s: float) -> str:
    return datetime.fromtimestamp(moment_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
