"""The energy of a run from a meter's log that is joined by the wall clock, with the uncertainty of the run's edges."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench import limits
from bench.diagnostics import unique
from bench.endpoint.importing.run import Span, ToolRun
from bench.measure import stats
from bench.measure.energy import MARGIN_S, accuracy_frac, as_used, cross_check, read_windows
from bench.meters.group.sources import check_once
from bench.meters.group.sums import flat
from bench.meters.kinds.trace import Trace
from bench.meters.kinds.trace_samples import RunClock
from bench.meters.protocol import EnergyReading, Meter, MeterInfo, MeterOptions
from bench.meters.registry import make_meters
from bench.results.best_meter import ENERGY_PER_UNIT, POWER
from bench.results.record import MeterUsed, Metric, Reason
from hardware_profiles.errors import InputError

JOULES = "joules_per_"
"""Beginning of the names of energies per other units; unit and boundary follow."""

_PER = {"rate": "token", "total_token_rate": "total_token", "request_rate": "request"}


@dataclass(frozen=True, slots=True)
class Joined:
    """What the logs say of one run."""

    figures: dict[str, Metric]
    used: tuple[MeterUsed, ...]
    notes: tuple[Reason, ...]
    audit: tuple[dict[str, object], ...]


def open_logs(specs: Sequence[str], clock_offset_s: float, runs: Sequence[ToolRun]) -> list[Meter]:
    """Return the logs of these specs, on the wall clock of the tools.

    Parameters
    ----------
    specs
        Specs of logs, `trace:FILE`.
    clock_offset_s
        Clock of the logs minus the clock of the tools [s].
    runs
        All runs to which they are joined.

    Raises
    ------
    InputError
        A spec is not a log, or a log cannot be read.
    """
    meters = make_meters(specs, MeterOptions(clock_offset_s=clock_offset_s))
    spans = [run.span for run in runs if run.span is not None]
    first_s = min((span.start_s for span in spans), default=0.0) - MARGIN_S
    last_s = max((span.end_s for span in spans), default=0.0) + MARGIN_S
    for spec, log in zip(specs, flat(meters), strict=True):
        if not isinstance(log, Trace):
            expected = "a log, --meter trace:FILE; other meters cannot read the past"
            raise InputError.at("--meter", expected=expected, got=spec)
        log.join(RunClock(0.0, first_s, last_s))
    check_once(meters)
    return meters


def join(run: ToolRun, meters: Sequence[Meter]) -> Joined:
    """Return the energies of a run from the logs; without one, the reasons."""
    infos = [meter.info for meter in meters]
    used = tuple(as_used(info) for info in infos)
    if run.span is None:
        detail = f"{run.tool} states no start and end of this run"
        notes = [Reason(code="energy_missing", detail=f"{info.name}: {detail}") for info in infos]
        return Joined({}, used, tuple(notes), ())
    figures: dict[str, Metric] = {}
    notes, audit = [], []
    span = run.span
    readings = cross_check(infos, read_windows(meters, [(span.start_s, span.end_s)]))
    for meter, (reading,) in zip(meters, readings, strict=True):
        window = _Window(meter, span)
        judged = reading.judged(window.codes)
        for code in unique((*judged.reasons, *judged.warnings)):
            detail = window.detail if code in window.codes else reading.detail
            notes.append(Reason(code=code, detail=f"{meter.info.name}: {detail}"))
        audit.append(_audit(meter.info, span, judged, window))
        if judged.joules is None:
            notes.append(Reason(code="energy_missing", detail=meter.info.name))
            continue
        for name, metric in _metrics(run, meter.info, judged.joules, window).items():
            figures.setdefault(name, metric)
    return Joined(figures, used, tuple(notes), tuple(audit))


class _Window:
    """A run's window in a log, whose edges are known only so well."""

    def __init__(self, meter: Meter, span: Span) -> None:
        self.codes: tuple[str, ...] = ()
        self.detail = ""
        self.limit_frac = 0.0  # [-] by which the energy may be off because of the edges
        # The time stamp of a sample is known to its period: half of it at each edge.
        self.edge_s = span.edge_s + meter.info.period_s / 2.0
        self.duration_s = span.end_s - span.start_s
        share = 2.0 * self.edge_s / self.duration_s
        if share > limits.EDGE_FRAC:
            self.codes = ("window_short",)
            self.detail = (
                f"its edges are known to ± {self.edge_s:.2g} s each, which is {share:.1%} of {self.duration_s:.4g} s"
            )
            return
        near = [meter.energy(span.start_s + by, span.end_s - by) for by in (-self.edge_s, 0.0, self.edge_s)]
        joules = [reading.joules for reading in near]
        wide, middle, narrow = joules
        if wide is None or middle is None or narrow is None:
            self.codes = unique(code for reading in near for code in reading.reasons)
            self.detail = f"with edges known to ± {self.edge_s:.2g} s"
        else:
            self.limit_frac = max(abs(wide - middle), abs(middle - narrow)) / middle


def _metrics(run: ToolRun, info: MeterInfo, joules: float, window: _Window) -> dict[str, Metric]:
    u_meter, u_edges = (stats.standard_from_limits(frac) for frac in (accuracy_frac(info), window.limit_frac))
    half = stats.t_quantile(math.inf) * math.hypot(u_meter, u_edges)
    power_w = joules / window.duration_s

    def metric(value: float, unit: str) -> Metric:
        return Metric.model_validate(
            {
                "value": value, "unit": unit, "basis": "measured", "n": 1, "u_meter_frac": u_meter,
                "interval_95": (value * max(0.0, 1.0 - half), value * (1.0 + half)),
                "boundary": info.boundary, "tier": info.tier.value, "meter": info.name,
                "note": f"a log joined by the wall clock: edges known to ± {window.edge_s:.2g} s, "
                        f"which is ± {window.limit_frac:.1%} of the energy; window {run.window}",
            }
        )  # fmt: skip

    figures = {f"{POWER}{info.boundary}": metric(power_w, "W")}
    rates = {figure.name: figure.value for figure in run.figures}
    for name, unit in _PER.items():
        if rates.get(name):
            beginning = ENERGY_PER_UNIT if unit == "token" else JOULES
            figures[f"{beginning}{unit}_{info.boundary}"] = metric(power_w / rates[name], f"J/{unit}")
    return figures


def _audit(info: MeterInfo, span: Span, reading: EnergyReading, window: _Window) -> dict[str, object]:
    return {
        "meter": info.name,
        "sha256": [part.sha256 for part in (info.parts or (info,))],
        "start_unix_s": span.start_s,
        "end_unix_s": span.end_s,
        "edge_s": window.edge_s,
        "edge_frac": window.limit_frac,
        "joules": reading.joules,
        "reasons": list(reading.reasons),
        "detail": window.detail or reading.detail,
    }
