"""The table of measured ramps: a row for each stored ramp."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.results.record import Metric, Record

TIMES = ("off_time", "on_time", "full_power_time", "full_rate_time")
WORDS = {
    "off_time": "to off",
    "on_time": "to on",
    "full_power_time": "to full power",
    "full_rate_time": "to full rate",
    "rate_lag": "rate behind power",
    "lost_output_time": "lost output of a start",
    "off_energy": "energy of going off",
    "start_energy": "energy of a start without work",
    "resting_power": "resting power",
    "full_power": "full power",
    "overshoot_power": "power above full, at least",
}
"""Each figure of a ramp in words."""


@dataclass(frozen=True, slots=True)
class RampRow:
    """A stored ramp."""

    result: str
    status: str
    device: str
    lever: str
    off_s: tuple[float, float] | None  # [s] shortest and longest time off; None without a repetition
    figures: dict[str, Metric]
    reasons: tuple[str, ...]
    simulated: bool

    def document(self) -> dict[str, object]:
        """Return the row as JSON-ready data."""
        return {
            "result": self.result,
            "status": self.status,
            "device": self.device,
            "lever": self.lever,
            "simulated": self.simulated,
            "off_s": self.off_s,
            "reasons": self.reasons,
            "figures": {
                name: {"value": metric.value, "unit": metric.unit, "interval_95": metric.interval_95}
                for name, metric in self.figures.items()
            },
        }


def rows(records: Sequence[Record]) -> list[RampRow]:
    """Return a row for each record of a ramp."""
    return [_row(record) for record in records if record.ramp is not None]


def _row(record: Record) -> RampRow:
    evidence = record.ramp
    if evidence is None:
        raise ValueError(f"{record.id} is no ramp")
    spans = [one.off_s for one in evidence.repetitions]
    return RampRow(
        result=record.id,
        status=record.status,
        device=record.device.name,
        lever=evidence.lever,
        off_s=(min(spans), max(spans)) if spans else None,
        figures=dict(record.metrics),
        reasons=tuple(reason.code for reason in record.reasons),
        simulated=evidence.simulated,
    )
