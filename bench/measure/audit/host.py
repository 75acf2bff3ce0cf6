"""The audit of the machine that watches a device on the network: its clocks, and nothing of its load."""

from bench.measure.audit.cpu import CpuAudit
from bench.results.record import Reason

_CLOCKS = ("clock_step", "duration_mismatch")


class HostAudit(CpuAudit):
    """The clocks of this machine; its load does not slow the device down."""

    def finish(self) -> tuple[dict[str, object], list[Reason]]:
        """Return the data to store and the codes of what went wrong."""
        stored, reasons = super().finish()
        return stored, [reason for reason in reasons if reason.code in _CLOCKS]
