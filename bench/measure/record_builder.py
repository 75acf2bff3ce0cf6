"""The builder of result records: it decides the status of a run, a joined log or an imported test.

Only a record with status `ok` keeps figures and joules; work, reasons and warnings stay in every record (method rule
19).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.diagnostics import invalidates
from bench.measure.energy import Metered
from bench.results.evidence.endpoint import EndpointEvidence
from bench.results.evidence.miner import MinerEvidence
from bench.results.evidence.ramp import RampEvidence
from bench.results.record import AssumedPower, Device, Metric, Reason, Record, RunInfo, Steadiness, WorkloadInfo
from bench.results.token_tags import OF_WORKLOAD, token_tag_words


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordParts:
    """The parts of a record before its status is decided."""

    id: str
    run: RunInfo
    system: dict[str, object]
    device: Device
    workload: WorkloadInfo
    metered: Metered
    figures: Mapping[str, Metric]
    notes: Sequence[Reason] = ()  # codes found on the way; those that invalidate under the run's plan become reasons
    faults: Sequence[Reason] = ()  # codes that stopped the measurement
    failed: bool = False  # whether the faults make it `failed`, not just `invalid`
    steadiness: Steadiness | None = None
    audit: Mapping[str, object] = field(default_factory=dict)
    assumed_power: AssumedPower | None = None
    supersedes: str | None = None
    miner: MinerEvidence | None = None
    endpoint: EndpointEvidence | None = None
    ramp: RampEvidence | None = None


def build_record(parts: RecordParts) -> Record:
    """Return the record of a measurement, with its status and what that status leaves of it."""
    metered = parts.metered
    reasons = [*parts.faults, *(note for note in parts.notes if invalidates(note.code, parts.run.plan))]
    figures = {} if reasons else dict(parts.figures)
    has_tags = all(tag in parts.workload.parameters for tag in OF_WORKLOAD)
    return Record(
        id=parts.id,
        status="failed" if parts.failed else "invalid" if reasons else "ok",
        reasons=tuple(reasons),
        warnings=tuple(note for note in parts.notes if note not in reasons),
        supersedes=parts.supersedes,
        run=parts.run,
        system=parts.system,
        device=parts.device,
        workload=parts.workload,
        meters=tuple(meter.name for meter in metered.used),
        meters_used=metered.used,
        meters_gaps=() if reasons else metered.gaps,
        steadiness=parts.steadiness,
        audit=dict(parts.audit),
        assumed_power_w=parts.assumed_power,
        idle=metered.idle,
        windows=metered.without_joules if reasons else metered.windows,
        metrics=figures,
        miner=parts.miner,
        endpoint=parts.endpoint,
        ramp=parts.ramp,
        token_tags=token_tag_words(parts.workload, figures, parts.assumed_power) if has_tags else None,
    )
