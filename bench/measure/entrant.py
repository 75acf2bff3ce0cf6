"""A workload in a run: its windows, its audit, and what went wrong so far."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bench.errors import RunFailedError
from bench.measure.audit.cpu import CpuAudit
from bench.measure.audit.host import HostAudit
from bench.measure.audit.protocol import Audit
from bench.measure.windows import BadWorkError, Progress, WindowTaker
from bench.results.record import Device, Reason
from bench.workloads.protocol import Check, ContinuousWorkload, VerificationError, Workload

REMOTE = ("asic", "server")
"""Kinds of devices on the network, which this machine's own load does not slow down."""


@dataclass(slots=True)
class Entrant:
    """One workload of a run, with its windows and what went wrong so far."""

    workload: Workload
    taker: WindowTaker
    audit: Audit
    started: datetime
    checks: list[Check] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    closed: bool = False
    audited: tuple[dict[str, object], list[Reason]] = field(default_factory=lambda: ({}, []))

    def close(self) -> None:
        """Close the workload once; a lost device cannot be closed, but that must not cost the record."""
        if not self.closed:
            self.closed = True
            with contextlib.suppress(Exception):
                self.workload.close()

    def start_load(self, on_progress: Progress) -> None:
        """Start a continuous workload, and choose the length of a call."""
        if not self.sound:
            return
        with self.guarded():
            if isinstance(self.workload, ContinuousWorkload):
                on_progress("lead", 0.0)
                self.workload.start()
            self.taker.calibrate()

    def end_load(self) -> None:
        """End the load of a continuous workload and count its work."""
        if self.sound and isinstance(self.workload, ContinuousWorkload):
            with self.guarded():
                self.workload.stop()
                self.taker.recount()

    def parameters(self) -> dict[str, object]:
        """Return the workload's parameters, or the error if its device is lost."""
        try:
            return dict(self.workload.parameters())
        except Exception as error:  # noqa: BLE001 (as above)
            return {"not_given": f"{type(error).__name__}: {error}"}

    @property
    def sound(self) -> bool:
        """Whether nothing has gone wrong so far."""
        return not self.reasons

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn every error of the workload into a reason, so that the record is failed but not lost."""
        try:
            yield
        except (VerificationError, BadWorkError, RunFailedError) as error:
            self.reasons.append(Reason(code=error.code, detail=str(error)))
        except Exception as error:  # noqa: BLE001 (see above)
            self.reasons.append(Reason(code="run_failed", detail=f"{type(error).__name__}: {error}"))


def enter(workload: Workload, device: Device, on_progress: Progress) -> Entrant:
    """Return a workload as it enters a run, with the audit that suits its device."""
    audit: Audit
    if device.kind == "gpu":
        from bench.measure.audit.gpu import GpuAudit

        audit = GpuAudit(int(device.settings.get("index") or 0))
    elif device.kind in REMOTE:
        audit = HostAudit()
    else:
        audit = CpuAudit()
    return Entrant(workload, WindowTaker(workload, on_progress), audit, datetime.now(UTC))
