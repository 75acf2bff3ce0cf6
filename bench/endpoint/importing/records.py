"""The records of imported runs: the tool's figures under perwatt's names, each with the tool's own beside it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import ValidationError

from bench import __version__, limits
from bench.credentials import scrub_arguments, scrub_text
from bench.endpoint.figures.latency import REQUESTS_FOR_Q90, REQUESTS_FOR_Q99
from bench.endpoint.importing.document import Source
from bench.endpoint.importing.meter_log import JOULES, Joined
from bench.endpoint.importing.run import Figure, ToolRun
from bench.endpoint.workload import LlmServeEndpoint
from bench.measure import stats
from bench.measure.energy import Metered
from bench.measure.record_builder import RecordParts, build_record
from bench.results.best_meter import ENERGY_PER_UNIT, POWER
from bench.results.integrity.sense import sense_fault
from bench.results.record import Device, Metric, Reason, Record, RunInfo, WorkloadInfo
from bench.results.text import encodable
from bench.results.writing import new_id
from hardware_profiles.errors import InputError
from hardware_profiles.provenance import Boundary

PLAN = "import"
AUDIT = "imported"
"""The key of a record's audit that has the tool's own names, values and units."""

_REQUESTS_FOR = {"q90": REQUESTS_FOR_Q90, "q99": REQUESTS_FOR_Q99}
_BOARD: Boundary = "board"
_TIER = "C"  # at best: the counters of GPUs, over the tool's own window


def record_of(run: ToolRun, source: Source, argv: Sequence[str], joined: Joined | None = None) -> Record:
    """Return the record of an imported run.

    Parameters
    ----------
    run
        The run.
    source
        The file that has it.
    argv
        The command line.
    joined
        Energies from the log of a meter.

    Raises
    ------
    InputError
        A figure is not plausible.
    """
    now = datetime.now(UTC)
    started, ended = _times(run, now)
    figures = _figures(run)
    if joined is not None:
        end = f"_of_{run.tool.replace('-', '_')}"
        stated = {f"{name}{end}": metric for name, metric in figures.items() if name in joined.figures}
        figures = {**figures, **stated, **joined.figures}
    notes = [Reason(code="imported", detail=" ".join(filter(None, (run.tool, run.version))))]
    try:
        record = build_record(
            RecordParts(
                id=new_id(LlmServeEndpoint.name, now),
                run=RunInfo(
                    run_id=f"{now:%Y%m%dT%H%M%SZ}-import", plan=PLAN, argv=scrub_arguments(argv), started_utc=started,
                    ended_utc=ended, perwatt_version=__version__, commit=None,
                ),
                system={},
                device=Device(kind="server", name=run.device or f"server measured by {run.tool}"),
                workload=_workload(run),
                metered=Metered((), joined.used if joined else ()),
                figures=figures,
                notes=[*notes, *(joined.notes if joined else ())],
                audit={AUDIT: _audit(run, source, joined)},
            )
        )  # fmt: skip
    except (ValidationError, ArithmeticError):
        raise InputError.at(run.place, expected="plausible figures", got="one that no record holds") from None
    if fault := sense_fault(record.model_dump(mode="json"), b"", run.place):
        raise InputError(fault)
    return record


def _times(run: ToolRun, now: datetime) -> tuple[datetime, datetime]:
    """Return start and end of the run, or now where the tool does not state them."""
    if run.span is None:
        return now, now
    try:
        return datetime.fromtimestamp(run.span.start_s, UTC), datetime.fromtimestamp(run.span.end_s, UTC)
    except (ValueError, OverflowError, OSError):
        got = f"{run.span.start_s:g} to {run.span.end_s:g}"
        raise InputError.at(run.place, expected="start and end in Unix time [s]", got=got) from None


def _figures(run: ToolRun) -> dict[str, Metric]:
    return {figure.name: _metric(run, figure) for figure in run.figures if figure.name}


def _metric(run: ToolRun, figure: Figure) -> Metric:
    """Return a figure as a record has it; an energy is that of the GPU boards over the tool's own window."""
    note = f"{run.tool}: {figure.key}"
    if figure.tool_value is not None:
        note += f" = {figure.tool_value:.6g} {figure.tool_unit}"
    if figure.formula:
        note += f" ({figure.formula})"
    needed = _REQUESTS_FOR.get(figure.name.rpartition("_")[2], 1)
    if 1 < figure.n < needed:
        note += f"; of {figure.n} requests, where perwatt itself needs {needed}"
    energy = {}
    if figure.name.startswith((ENERGY_PER_UNIT, JOULES, POWER)):
        note += f"; the window is the tool's: {run.window}"
        u_meter = stats.standard_from_limits(limits.UNSTATED_ACCURACY_FRAC[_TIER])
        energy = {"boundary": _BOARD, "tier": _TIER, "meter": run.tool, "u_meter_frac": u_meter}
    return Metric.model_validate(
        {"value": figure.value, "unit": figure.unit, "basis": "measured", "n": figure.n, "note": note, **energy}
    )


def _workload(run: ToolRun) -> WorkloadInfo:
    lengths = ":".join("unknown" if mean is None else f"{mean:.6g}" for mean in run.mean_lengths)
    return WorkloadInfo(
        name=LlmServeEndpoint.name,
        version=LlmServeEndpoint.version,
        unit=LlmServeEndpoint.unit,
        variant=run.tool,
        parameters={
            "model": run.model,
            "concurrency": run.concurrency,
            "rate_per_s": run.rate_per_s,
            "window": run.window,
            "tokens_from": run.tokens_from,
            **{key: value for key, value in run.parameters.items() if value is not None},
            "token_basis": "output",
            "lengths": lengths,
            "latency_limit": "none",
        },
        verification=(),
    )


def _audit(run: ToolRun, source: Source, joined: Joined | None) -> dict[str, object]:
    return {
        "tool": run.tool,
        "version": run.version,
        "file": encodable(scrub_text(source.file)),
        "sha256": source.sha256,
        "window": run.window,
        "tokens_from": run.tokens_from,
        "completed": run.requests,
        "failed": run.failed,
        "duration_s": run.duration_s,
        "end_unix_s": run.span.end_s if run.span else None,
        "input_tokens": run.input_tokens,
        "output_tokens": run.output_tokens,
        "figures": [figure.stated() for figure in run.figures],
        "no_data": list(run.dropped),
        "energy": list(joined.audit) if joined else [],
    }
