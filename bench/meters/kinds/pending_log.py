"""A log that is joined after the run (`wait=later`): it sets the run's times by its period, and is not read now."""

from collections.abc import Sequence

from bench.meters.kinds.trace import Trace
from bench.meters.kinds.trace_samples import RunClock
from bench.meters.protocol import EnergyReading, Reading
from hardware_profiles.errors import InputError

LATER = "later"


class PendingLog(Trace):
    """A log that `perwatt run --attach` or a lab run joins with the record later."""

    def open(self) -> None:
        """Read nothing, and say so."""
        self.notice = f"{self.path}: this log is joined after the run; until then the record has no energy by it"

    def join(self, clock: RunClock) -> None:  # noqa: ARG002 (there is nothing to place)
        """Refuse to be joined: a log that is joined now must be there.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError.at(f"--meter trace:{self.path}", "wait", expected="no `later` for a log that is read now")

    def mark(self) -> None:
        """Note nothing: the record has the clocks that the joining needs."""

    def readings(self) -> Sequence[Reading]:
        """Return no readings."""
        return ()

    def energy(self, t0: float, t1: float) -> EnergyReading:
        """Return that the energy from t0 to t1 [s, monotonic] comes later."""
        return EnergyReading.missing(self.info, t1 - t0, "log_pending")
