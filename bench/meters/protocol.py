"""What a meter is: a stream of time-stamped readings and the energy between two moments of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bench.diagnostics import Effect, effect, unique
from hardware_profiles.words import Boundary


class MeterKind(StrEnum):
    """A counter gives cumulative joules, a power meter gives watts, a declaration gives neither."""

    COUNTER = "counter"
    POWER = "power"
    DECLARED = "declared"


class Tier(StrEnum):
    """How far a meter is to be trusted, from A (calibrated wall analyzer) to E (declared)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"


UNSTATED_ACCURACY_FRAC = {Tier.A: 0.01, Tier.B: 0.02, Tier.C: 0.05, Tier.D: 0.10}
"""Relative accuracy [-] taken for a meter that states none (method rule 13; A and B must state one)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading: monotonic time [s], UTC [s since 1970], value [J for counters, W for power meters].

    `value` is None where the read failed: a failed read is missing, never zero. `token` is whatever else
    the source said in the same answer (its own clock, volts, amperes): two readings with an equal token
    and value are one sample seen twice. `codes` tell what befell the stretch that ends with this reading.
    """

    t_s: float
    utc_s: float
    value: float | None
    token: tuple[object, ...] | None = None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterInfo:
    """What stands beside every figure of a meter.

    `period_s` is the update period T [s], `averaging_s` the time A [s] over which one sample averages,
    `poll_s` the time between readings [s],
    `domains` the power domains that only one run may use at a time, `scope` what the source says it covers.
    """

    name: str
    kind: MeterKind
    boundary: Boundary
    tier: Tier
    accuracy_frac: float | None
    accuracy_source: str
    period_s: float
    averaging_s: float = 0.0
    poll_s: float = 0.0
    domains: tuple[str, ...] = ()
    scope: str = ""
    resolution_j: float | None = None


@dataclass(frozen=True, slots=True)
class EnergyReading:
    """Energy between two moments [J], or None with the codes that say why there is none.

    `reasons` are codes of `bench.diagnostics`: with any that invalidates, `joules` is None. `warnings` are
    codes that leave the figure standing. `assumed_power_w` is set by `declared` alone, never with joules.
    """

    meter: str
    joules: float | None
    boundary: Boundary
    tier: Tier
    accuracy_frac: float | None
    accuracy_source: str
    duration_s: float
    samples: int = 0
    largest_gap_s: float | None = None
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    assumed_power_w: float | None = None
    detail: str = ""
    half_energies_j: tuple[float, float] | None = None

    @property
    def valid(self) -> bool:
        """Whether joules may be used."""
        return self.joules is not None

    @property
    def mean_power_w(self) -> float | None:
        """Mean power over the window [W], or None."""
        if self.joules is None or self.duration_s <= 0.0:
            return None
        return self.joules / self.duration_s

    def judged(self, codes: Iterable[str]) -> "EnergyReading":
        """Return this reading with more codes; one that forbids energy takes the joules away."""
        given = unique(codes)
        against = tuple(code for code in given if effect(code) in (Effect.INVALID, Effect.NO_ENERGY))
        beside = tuple(code for code in given if code not in against)
        reasons = unique((*self.reasons, *against))
        if self.joules is None and not reasons:
            reasons = ("edge_missing",)
        return replace(
            self,
            joules=None if reasons else self.joules,
            half_energies_j=None if reasons else self.half_energies_j,
            reasons=reasons,
            warnings=unique((*self.warnings, *beside)),
        )


@runtime_checkable
class Meter(Protocol):
    """Anything that can say how much energy passed between two moments of `time.monotonic()`."""

    @property
    def info(self) -> MeterInfo:
        """Name, kind, boundary, tier, accuracy and periods; final once `open` has returned."""

    def open(self) -> None:
        """Start reading, in a thread of its own."""

    def mark(self) -> None:
        """Take a reading at this moment where that costs little: the runner calls it at a window's edges."""

    def readings(self) -> Sequence[Reading]:
        """Every reading so far, in the order of time."""

    def energy(self, t0: float, t1: float) -> EnergyReading:
        """Energy from t0 to t1 [s, monotonic]; waits a bounded time for the reading that closes it."""

    def close(self) -> None:
        """Stop the thread and free the source; safe to call twice."""


@dataclass(frozen=True, slots=True)
class Found:
    """What `doctor` says of one meter: usable here or not, and if not why and what helps."""

    name: str
    kind: MeterKind
    boundary: Boundary
    tier: Tier
    usable: bool
    reason: str = ""
    cure: str = ""
    spec: str = ""


@dataclass(frozen=True, slots=True)
class MeterOptions:
    """What the command line says about all meters: period [s], clock offset [s], declared power [W]."""

    period_s: float | None = None
    clock_offset_s: float = 0.0
    watts: float | None = None


@dataclass(frozen=True, slots=True)
class MeterKindEntry:
    """What an entry point of the group `perwatt.meters` gives: how to make the meter and how to find it.

    `make(target, settings, options)` builds a closed meter from `name:target,key=value`; `find()` lists what
    this machine offers.
    """

    name: str
    summary: str
    make: Callable[[str, dict[str, str], MeterOptions], Meter]
    find: Callable[[], Sequence[Found]]
