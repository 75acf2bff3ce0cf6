"""The result record: a versioned schema in SI base units, validated when a record is written and when it is read."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, FiniteFloat

from bench.credentials import scrub_message
from bench.results.best_meter import ENERGY_PER_UNIT, POWER, best_metric
from bench.results.evidence.endpoint import EndpointEvidence
from bench.results.evidence.miner import MinerEvidence
from bench.results.evidence.ramp import RampEvidence
from bench.results.part import Count, CountFromOne, Interval, NonNegative, Part, Positive
from hardware_profiles.provenance import Basis, Boundary

Tier = Literal["A", "B", "C", "D"]
Status = Literal["ok", "invalid", "failed"]
PLAIN_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class Reason(Part):
    """A reason why a record is invalid, or a warning; bench/diagnostics.py has the codes and cures."""

    code: str
    detail: Annotated[str, AfterValidator(scrub_message)] = ""


class HostInfo(Part):
    """The machine that measured."""

    id: str = Field(pattern="^[0-9a-f]{8}$", description="anonymous key of the machine, the same in all its records")
    name: str = Field(default="", max_length=100, description="its name in the lab file; empty outside a lab run")


class RunInfo(Part):
    """The command that made the record; records of one command share `run_id`."""

    run_id: str
    plan: str
    argv: tuple[str, ...]
    started_utc: AwareDatetime
    ended_utc: AwareDatetime
    perwatt_version: str
    commit: str | None = Field(description="git commit of the code, or null outside a checkout")
    commit_dirty: bool | None = None
    harness_overhead_frac: NonNegative | None = Field(
        default=None, description="share of the windows' time that the runner itself took, its meters' polling included"
    )
    window_s: NonNegative | None = Field(default=None, description="planned length of a window [s]")
    window_why: str = Field(default="", description="what set that length")
    lead_s: NonNegative | None = Field(default=None, description="load before the first window [s]")
    tail_s: NonNegative | None = Field(default=None, description="load after the last window [s]")
    host: HostInfo | None = Field(default=None, description="null in an import and in an older record")


class Device(Part):
    """The device under test and the settings it ran with."""

    kind: Literal["cpu", "gpu", "asic", "server"]
    name: str
    settings: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


class WorkloadInfo(Part):
    """The workload that was run."""

    name: str
    version: CountFromOne
    unit: str
    variant: str
    parameters: dict[str, str | int | float | bool | list[int] | None] = Field(default_factory=dict)
    verification: tuple[str, ...] = Field(description="known answers given on this device before and after timing")


class Energy(Part):
    """Energy of one window by one meter; joules are absent only with a reason."""

    meter: str
    boundary: Boundary
    tier: Tier
    joules: Positive | None = None
    accuracy_frac: NonNegative | None = None
    accuracy_source: str = ""
    samples: Count
    largest_gap_s: NonNegative | None = None
    half_energies_j: tuple[FiniteFloat, FiniteFloat] | None = None
    edges_j: NonNegative | None = Field(default=None, description="by which the window's edges may be wrong [J]")
    reasons: tuple[str, ...] = Field(default=(), description="codes why there are no joules")
    warnings: tuple[str, ...] = Field(default=(), description="codes that leave the joules standing")
    detail: str = ""


class Window(Part):
    """One timed stretch of work: the same seconds for work and for energy."""

    index: Count
    start_utc: AwareDatetime
    start_s: FiniteFloat = Field(description="monotonic clock of the run")
    end_s: FiniteFloat
    work: Positive
    batches: CountFromOne
    cpu_time_s: NonNegative | None = None
    clock_hz: Positive | None = Field(default=None, description="core clock, calibrated round the window")
    energy: tuple[Energy, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the window [s]."""
        return self.end_s - self.start_s

    @property
    def rate_per_s(self) -> float:
        """Work per second in this window [unit/s]."""
        return self.work / self.duration_s


class Metric(Part):
    """One figure above 0 (a rate, an energy, a power) with its spread and, where measured, its interval."""

    value: Positive
    unit: str
    basis: Basis
    n: CountFromOne = Field(description="windows it was made from")
    relative_sd_frac: NonNegative | None = None
    u_meter_frac: NonNegative | None = Field(default=None, description="standard uncertainty of the meter [-]")
    u_work_frac: NonNegative | None = Field(default=None, description="standard uncertainty of the work counted [-]")
    u_edges_frac: NonNegative | None = Field(default=None, description="standard uncertainty of the edges [-]")
    interval_95: Interval | None = None
    boundary: Boundary | None = None
    tier: Tier | None = None
    meter: str | None = None
    bound_by: str | None = Field(default=None, description="of a bound: the instructions, pipe or peak that binds")
    note: str = ""


class AssumedPower(Part):
    """A declared power; it is never converted to energy."""

    power_w: Positive
    boundary: Boundary
    source: str


class IdlePower(Part):
    """Power of the idle device by one meter."""

    meter: str
    when: Literal["before", "after"]
    power_w: NonNegative
    duration_s: Positive


class MeterUsed(Part):
    """One meter of a run with its properties."""

    name: str
    kind: Literal["counter", "power"]
    boundary: Boundary
    tier: Tier
    accuracy_frac: NonNegative | None = None
    accuracy_source: str = ""
    period_s: NonNegative
    averaging_s: NonNegative = 0.0
    scope: str = ""
    domains: tuple[str, ...] = Field(default=(), description="the source itself: equal ones are one meter")
    column: str = Field(default="", description="column of a log")
    unit: str = Field(default="", description="unit of the source's own values")
    channel: str = Field(default="", description="channel of a device that has several")
    rows: str = Field(default="", description="rows of a log that count; empty for all")
    sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$", description="of the bytes of a log")
    parts: tuple["MeterUsed", ...] = Field(default=(), description="the meters that a sum adds")
    covers: tuple[str, ...] = Field(default=(), description="devices whose power it reads; empty for the whole machine")


class MetersGap(Part):
    """Two meters of one run: the reading of the inner one over that of the outer one."""

    inner: str
    inner_boundary: Boundary
    outer: str
    outer_boundary: Boundary
    inner_over_outer: Positive


class Steadiness(Part):
    """Steadiness over the windows (method rule 10): second half over first half minus 1, and slopes [1/min]."""

    rate_halves_frac: FiniteFloat | None = None
    power_halves_frac: dict[str, FiniteFloat] = Field(default_factory=dict)
    rate_slope_per_min: Interval | None = None
    power_slope_per_min: dict[str, Interval] = Field(default_factory=dict)


class Artifact(Part):
    """A file in the folder of result.json."""

    name: str = Field(pattern=PLAIN_NAME)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size_bytes: Count


class TokenTagWords(Part):
    """The five tags of a token rate in words; the first two are `not metered` where no meter covers the device."""

    boundary: str
    power_kind: str
    token_basis: str
    lengths: str
    latency_limit: str


class Record(Part):
    """One measurement of one workload; immutable after it is written."""

    schema_version: Literal[1] = 1
    id: str = Field(pattern=PLAIN_NAME)
    status: Status
    reasons: tuple[Reason, ...] = Field(default=(), description="why it is invalid or failed")
    warnings: tuple[Reason, ...] = ()
    supersedes: str | None = None
    run: RunInfo
    system: dict[str, object] = Field(description="environment, from bench/machine/environment.py")
    device: Device
    workload: WorkloadInfo
    meters: tuple[str, ...] = ()
    meters_used: tuple[MeterUsed, ...] = ()
    meters_gaps: tuple[MetersGap, ...] = ()
    steadiness: Steadiness | None = None
    audit: dict[str, object] = Field(
        default_factory=dict, description="clocks, throttling, foreign load, settings during the windows"
    )
    assumed_power_w: AssumedPower | None = None
    idle: tuple[IdlePower, ...] = ()
    windows: tuple[Window, ...] = ()
    metrics: dict[str, Metric] = Field(default_factory=dict)
    token_tags: TokenTagWords | None = Field(default=None, description="of a workload that counts tokens")
    miner: MinerEvidence | None = Field(default=None, description="of a workload that runs on an ASIC miner")
    endpoint: EndpointEvidence | None = Field(default=None, description="of a workload of a live inference server")
    ramp: RampEvidence | None = Field(default=None, description="of a switch of a device off and on again")
    artifacts: tuple[Artifact, ...] = ()
    digests_file: Literal["SHA256SUMS"] | None = Field(
        default=None, description="the file of the digests of this record and its artifacts; null in an older record"
    )

    @property
    def imported_from(self) -> str | None:
        """The tool whose file it was imported from, or None for a measurement by perwatt."""
        return next((note.detail for note in self.warnings if note.code == "imported"), None)

    @property
    def rate(self) -> Metric | None:
        """The headline rate, or None where there is none."""
        return self.metrics.get("rate")

    @property
    def energy_per_unit(self) -> Metric | None:
        """The energy per unit of work [J/unit] by the best meter, or None where none was measured."""
        return best_metric(self.metrics, tier_of, ENERGY_PER_UNIT)

    @property
    def power(self) -> Metric | None:
        """The power [W] by the best meter, or None where none was measured."""
        return best_metric(self.metrics, tier_of, POWER)


def tier_of(metric: Metric) -> str | None:
    """Return the tier of a metric's meter, or None for a figure without a meter."""
    return metric.tier
