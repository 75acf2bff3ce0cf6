"""A look at a meter before a run: what it shows, how it is understood, and what a run would refuse."""

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.diagnostics import forbids_energy
from bench.machine.endings import endings_raise
from bench.meters.errors import MeterError
from bench.meters.integrate import seen_period_s, slower_words
from bench.meters.kinds.trace import Trace
from bench.meters.kinds.trace_period import seen_s
from bench.meters.kinds.trace_samples import RunClock
from bench.meters.protocol import ExplainedMeter, Meter, MeterInfo, MeterKind, MeterOptions, NoticeMeter, Reading
from bench.meters.registry import close_meters, make_meters
from hardware_profiles.errors import InputError

SECONDS, READINGS = 3.0, 10  # a live meter is read for the longer of the two
FIRST = 5  # readings that are shown
JUDGED = 100_000  # samples of a log for which it is said what a run would refuse: more than most runs have
# A few seconds cannot show these.
_OF_A_WHOLE_WINDOW = {"too_few_samples", "sample_gap", "edge_missing", "samples_stale", "samples_repeated"}


@dataclass(frozen=True, slots=True)
class Look:
    """What a meter shows before a run."""

    info: MeterInfo
    unit: str  # of the source's own values
    samples: int  # good ones
    mean_w: float  # [W]
    period_s: float | None  # [s] between two values that differ; None if a live meter showed fewer than three
    first: tuple[Reading, ...]
    span_utc: tuple[float, float]  # [s since 1970] of the first and the last reading
    refused: tuple[str, ...]  # codes for which a run would store no joules
    warnings: tuple[str, ...]  # codes that a run would store with its joules
    understood: tuple[str, ...]  # what else was read from a log, or seen of a live meter
    points: tuple[str, ...]  # each figure of the last answer of a live meter, with its raw value and scale
    notice: str


def look(spec: str, options: MeterOptions, seconds: float | None = None) -> Look:
    """Return what a meter shows: a log in full, another meter for a few seconds.

    Parameters
    ----------
    spec
        The meter, as for `--meter`.
    options
        Options of all meters.
    seconds
        How long a live meter is read [s]. [default: 3 s or ten readings, whichever is longer]

    Raises
    ------
    InputError
        The spec is wrong, the meter cannot be opened or gives no reading, or the file is not a log.
    """
    (meter,) = make_meters([spec], options)
    if meter.info.kind is MeterKind.DECLARED:
        raise InputError.at(f"--meter {spec}", expected="a meter that measures", got="an assumption")
    if isinstance(meter, Trace):
        return _look_at_log(meter)
    try:
        return _look_at_live(meter, seconds)
    except MeterError as error:
        raise InputError(str(error)) from error


def _look_at_log(log: Trace) -> Look:
    log.join(RunClock(0.0, -math.inf, math.inf))
    content = log.log
    if content is None:
        raise InputError.at(log.path, expected="a log of time and watts")
    count = len(content.samples)
    first, last = log.readings_at(0, FIRST), log.readings_at(count - 1, count)[0]
    judged = last if count <= JUDGED else log.readings_at(JUDGED - 1, JUDGED)[0]
    energy = log.energy(first[0].t_s, judged.t_s)
    known = content.samples.power_w[~np.isnan(content.samples.power_w)]
    if not len(known):
        raise InputError(f"{log.path}: expected a power at one of its times, got none")
    return _look(
        log,
        first=first,
        last=last,
        samples=len(known),
        mean_w=math.fsum(known) / len(known),
        period_s=seen_s(content),
        refused=energy.reasons,
        warnings=energy.warnings,
        understood=(
            f"{content.form} log",
            content.encoding,
            *content.understood,
            *_malformed(content.malformed),
            *((f"judged by its first {JUDGED:,} samples",) if count > JUDGED else ()),
            *((energy.detail,) if energy.detail else ()),
        ),
    )


def _look_at_live(meter: Meter, seconds: float | None) -> Look:
    with endings_raise():
        try:
            meter.open()
            start = time.monotonic()
            time.sleep(seconds or max(SECONDS, READINGS * meter.info.poll_s))
            meter.mark()
            energy = meter.energy(start, time.monotonic())
        finally:
            close_meters([meter])
    readings = meter.readings()
    values = _values(readings, meter.info)
    slower = slower_words(meter.info, readings) if meter.info.kind is MeterKind.POWER else ""
    refused = tuple(code for code in energy.reasons if code not in _OF_A_WHOLE_WINDOW)
    return _look(
        meter,
        first=readings[:FIRST],
        last=readings[-1],
        samples=len(values),
        mean_w=statistics.fmean(values) if meter.info.kind is MeterKind.POWER else _slope_w(readings, meter.info),
        period_s=seen_period_s(readings),
        refused=refused,
        warnings=tuple(code for code in energy.warnings if code not in _OF_A_WHOLE_WINDOW),
        understood=tuple(dict.fromkeys(filter(None, (energy.detail, slower)))),
        points=tuple(meter.explain()) if isinstance(meter, ExplainedMeter) else (),
    )


def _look(  # noqa: PLR0913 (the parts of one look)
    meter: Meter,
    *,
    first: Sequence[Reading],
    last: Reading,
    samples: int,
    mean_w: float,
    period_s: float | None,
    refused: Sequence[str],
    warnings: Sequence[str],
    understood: Sequence[str],
    points: Sequence[str] = (),
) -> Look:
    info = meter.info
    return Look(
        info=info,
        unit=info.unit or ("J" if info.kind is MeterKind.COUNTER else "W"),
        samples=samples,
        mean_w=mean_w,
        period_s=period_s,
        first=tuple(first),
        span_utc=(first[0].utc_s, last.utc_s),
        refused=tuple(code for code in refused if forbids_energy(code)),
        warnings=tuple(warnings),
        understood=tuple(understood),
        points=tuple(points),
        notice=meter.notice if isinstance(meter, NoticeMeter) else "",
    )


def _values(readings: Sequence[Reading], info: MeterInfo) -> list[float]:
    values = [reading.value for reading in readings if reading.value is not None]
    if not values:
        raise InputError.at(f"--meter {info.name}", expected="a reading", got="none that is a number")
    return values


def _slope_w(readings: Sequence[Reading], info: MeterInfo) -> float:
    """Return the mean power of a counter [W]."""
    good = [(reading.t_s, reading.value) for reading in readings if reading.value is not None]
    (t0, start_j), (t1, end_j) = good[0], good[-1]
    if t1 <= t0:
        raise InputError.at(f"--meter {info.name}", expected="two readings of the counter", got=len(good))
    return (end_j - start_j) / (t1 - t0)


def _malformed(lines: Sequence[int]) -> tuple[str, ...]:
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
    return (f"line {', '.join(map(str, lines[:3]))}{more} unreadable",) if lines else ()
