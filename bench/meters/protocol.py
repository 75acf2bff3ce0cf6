"""The protocol of a meter: time-stamped readings, and the energy between two moments."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bench.diagnostics import forbids_energy, unique
from hardware_profiles.provenance import Boundary


class MeterKind(StrEnum):
    """A counter gives cumulative joules, a power meter gives watts, a declaration gives neither."""

    COUNTER = "counter"
    POWER = "power"
    DECLARED = "declared"


class Tier(StrEnum):
    """How far a meter can be trusted, from A (calibrated wall analyzer) to E (declared)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading."""

    t_s: float  # [s, monotonic]
    utc_s: float  # [s since 1970]
    value: float | None  # [J] of a counter, [W] of a power meter; None if the read failed: missing, never zero
    # The rest of the source's answer (its own clock, volts, amperes): equal token and value are one sample read twice.
    token: tuple[object, ...] | None = None
    codes: tuple[str, ...] = ()  # reason codes of the time since the previous reading


@dataclass(frozen=True, slots=True)
class MeterInfo:
    """The description of a meter, stored with each of its figures."""

    name: str
    kind: MeterKind
    boundary: Boundary
    tier: Tier
    accuracy_frac: float | None  # [-] stated relative accuracy
    accuracy_source: str
    period_s: float  # [s] update period T
    averaging_s: float = 0.0  # [s] time A over which one sample averages
    poll_s: float = 0.0  # [s] time between two readings
    domains: tuple[str, ...] = ()  # power domains that only one run may use at a time
    scope: str = ""  # the hardware that the source says it covers
    column: str = ""  # column of a log
    unit: str = ""  # unit of the source's own values, such as kW
    channel: str = ""  # channel of a device that has several
    rows: str = ""  # rows of a log that count, such as `where gpu=0`; empty for all
    sha256: str = ""  # of the bytes of a log
    parts: tuple["MeterInfo", ...] = ()  # the meters that a sum adds
    # The devices whose power it reads (`cpu`, `gpu`, `gpu:UUID`); empty if the whole machine, or if that is not known.
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnergyReading:
    """The energy between two moments, or the reason codes why there is none."""

    meter: str
    joules: float | None  # [J] None if there is any reason
    boundary: Boundary
    tier: Tier
    accuracy_frac: float | None  # [-]
    accuracy_source: str
    duration_s: float  # [s]
    samples: int = 0  # number of samples used
    largest_gap_s: float | None = None  # [s] between two samples
    reasons: tuple[str, ...] = ()  # codes of bench/diagnostics.py that forbid energy
    warnings: tuple[str, ...] = ()  # codes that do not
    assumed_power_w: float | None = None  # [W] set by a declared power only, never with joules
    detail: str = ""
    half_energies_j: tuple[float, float] | None = None  # [J] of the first and the second half
    edges_j: float | None = None  # [J] by which the edges of the window may be wrong, see bench/meters/edges.py

    @classmethod
    def missing(cls, info: MeterInfo, duration_s: float, *reasons: str, detail: str = "") -> "EnergyReading":
        """Return a reading of a meter that has no energy, for these reasons."""
        return cls(
            meter=info.name,
            joules=None,
            boundary=info.boundary,
            tier=info.tier,
            accuracy_frac=info.accuracy_frac,
            accuracy_source=info.accuracy_source,
            duration_s=duration_s,
            reasons=reasons,
            detail=detail,
        )

    @property
    def valid(self) -> bool:
        """Whether there are joules."""
        return self.joules is not None

    @property
    def mean_power_w(self) -> float | None:
        """Mean power over the window [W], or None."""
        if self.joules is None or self.duration_s <= 0.0:
            return None
        return self.joules / self.duration_s

    def judged(self, codes: Iterable[str]) -> "EnergyReading":
        """Return this reading with more codes; a code that forbids energy removes the joules."""
        codes = unique(codes)
        forbidding = tuple(code for code in codes if forbids_energy(code))
        others = tuple(code for code in codes if code not in forbidding)
        reasons = unique((*self.reasons, *forbidding))
        if self.joules is None and not reasons:
            reasons = ("edge_missing",)
        return replace(
            self,
            joules=None if reasons else self.joules,
            half_energies_j=None if reasons else self.half_energies_j,
            edges_j=None if reasons else self.edges_j,
            reasons=reasons,
            warnings=unique((*self.warnings, *others)),
        )


@runtime_checkable
class Meter(Protocol):
    """A source of the energy between two moments of `time.monotonic()`."""

    @property
    def info(self) -> MeterInfo:
        """Name, kind, boundary, tier, accuracy and periods; final after `open`."""

    def open(self) -> None:
        """Start reading, in a thread of its own."""

    def mark(self) -> None:
        """Take a reading now if that is cheap; the runner calls it at the edges of a window."""

    def readings(self) -> Sequence[Reading]:
        """Return every reading so far, in order of time."""

    def energy(self, t0: float, t1: float) -> EnergyReading:
        """Return the energy from t0 to t1 [s, monotonic]; wait a limited time for the first reading after t1."""

    def close(self) -> None:
        """Stop the thread and release the source; may be called twice."""


@runtime_checkable
class PollingMeter(Protocol):
    """A meter that reports the CPU time of its own thread, which counts as the runner's overhead."""

    polling_s: float  # [s] so far


@runtime_checkable
class NoticeMeter(Protocol):
    """A meter that may have something to say to the user before the run starts."""

    notice: str  # one sentence after `open`; empty for none


@runtime_checkable
class ExplainedMeter(Protocol):
    """A meter that can say how it read its last answer."""

    def explain(self) -> Sequence[str]:
        """Return one line for each figure: its value, and the raw value and scale from which it came."""


@dataclass(frozen=True, slots=True)
class Found:
    """One meter as `perwatt doctor` lists it."""

    name: str
    kind: MeterKind
    boundary: Boundary | None  # None if a table or the user states it
    tier: Tier
    usable: bool  # on this machine
    reason: str = ""  # why it is not usable
    cure: str = ""
    spec: str = ""  # its name for --meter
    reads: str = ""  # what it covers
    whole_of: str = ""  # the device (`cpu`, `gpu:0`) all of whose power it reads for certain; empty for a part
    of_tables: tuple[Boundary, ...] = ()  # the boundaries that its tables state

    @property
    def boundary_words(self) -> str:
        """The boundary, or what states it."""
        by_table = f"{', '.join(self.of_tables)} (by table)" if self.of_tables else "state boundary="
        return self.boundary or by_table


@dataclass(frozen=True, slots=True)
class MeterOptions:
    """The options of the command line that apply to all meters."""

    period_s: float | None = None  # [s] update period of wall meters
    clock_offset_s: float = 0.0  # [s] clock of a log minus UTC
    watts: float | None = None  # [W] declared power


@dataclass(frozen=True, slots=True)
class MeterKindEntry:
    """One kind of meter, as an entry point of the group `perwatt.meters` provides it."""

    name: str
    summary: str
    # make(target, settings, options) returns the meter of `name:target,key=value`, not yet opened
    make: Callable[[str, dict[str, str], MeterOptions], Meter]
    find: Callable[[], Sequence[Found]]  # lists the meters of this kind on this machine
