"""The log of a meter that another machine read, described as that machine opened it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.meters.kinds.trace import Trace
from bench.meters.protocol import EnergyReading, MeterInfo
from bench.meters.settings import Stated
from hardware_profiles.provenance import Boundary


class RemoteLog(Trace):
    """The log of a meter of another machine.

    Parameters
    ----------
    path
        The log.
    meter
        The meter as the other machine opened it.
    name
        Its name in the record.
    boundary
        The boundary of its figures: that of the meter, or a wider one if it covers other machines too.
    scope
        What it covers, and who read it.
    codes
        Reason codes of the whole run, with one detail.
    """

    def __init__(  # noqa: PLR0913 (each a part of the description)
        self, path: Path, meter: MeterInfo, *, name: str, boundary: Boundary, scope: str,
        codes: Sequence[str] = (), detail: str = "",
    ) -> None:  # fmt: skip
        stated = Stated(meter.accuracy_frac, meter.accuracy_source, meter.tier, boundary, meter.period_s)
        super().__init__(path, stated)
        self._meter, self._name, self._covered = meter, name, scope
        self._codes, self._detail = tuple(codes), detail

    @property
    def info(self) -> MeterInfo:
        """The description of the meter, with the digest of its log."""
        log = super().info
        return replace(
            log,
            name=self._name,
            averaging_s=max(log.averaging_s, self._meter.averaging_s),
            domains=self._meter.domains,
            channel=self._meter.channel,
            scope=self._covered,
        )

    def energy(self, t0: float, t1: float) -> EnergyReading:
        """Return the energy from t0 to t1 [s, the run's clock], or why the run has none by this meter."""
        energy = super().energy(t0, t1)
        detail = "; ".join(filter(None, (self._detail, energy.detail)))
        return replace(energy.judged(self._codes), detail=detail)
