"""The protocol of a workload: the shape that a kernel, a model replay, a miner or an endpoint takes to be measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from bench.results.evidence.endpoint import EndpointEvidence
    from bench.results.evidence.miner import MinerEvidence
    from bench.results.record import Metric, Reason
    from bench.workloads.roofline import Bound

Spans = Sequence[tuple[float, float]]
"""Start and end of each window [s, monotonic]."""


class VerificationError(RuntimeError):
    """A workload gave a wrong answer on this device, so it gets no figure."""

    code = "wrong_answer"  # its reason code


class BoundUnknownError(Exception):
    """The highest rate of a device could not be determined; the rate that was measured stands."""


@dataclass(frozen=True, slots=True)
class Check:
    """One known answer that the workload gave."""

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The result of one call of `run`."""

    work: float  # in the workload's unit
    cpu_time_s: float | None = None  # [s] summed over the threads that did the work; None if a device did it


@runtime_checkable
class Workload(Protocol):
    """Countable work on a device, verified before and after it is timed."""

    name: str  # `<operation>[_<dtype>][_<layout>]_<backend>`, as on the command line
    version: int  # changes if *what* is measured changes; results of different versions are not compared
    unit: str  # singular name of the work: `hash`, `flop`, `byte`, `token`
    variant: str  # the implementation that runs; empty until `prepare` has chosen one

    def prepare(self) -> None:
        """Allocate, compile and warm up, so that `run` holds only the work."""
        ...

    def verify(self) -> list[Check]:
        """Give known answers on this device before the first timing.

        Raises
        ------
        VerificationError
            An answer is wrong.
        """
        ...

    def run(self, n: int) -> Batch:
        """Do the work `n` times over and return once it is done; the runner chooses `n`."""
        ...

    def check_output(self) -> list[Check]:
        """Check the output of the timed calls.

        Raises
        ------
        VerificationError
            The output of a timed call is wrong.
        """
        ...

    def parameters(self) -> Mapping[str, object]:
        """Return everything that a reader needs to repeat the measurement: shapes, dtype, threads, seeds."""
        ...

    def close(self) -> None:
        """Release the resources of `prepare`; may be called twice."""
        ...


@runtime_checkable
class BoundedWorkload(Protocol):
    """A workload that can state the highest rate its device could reach."""

    def bound(self) -> "Bound | None":
        """Return the bound, or None if this device has none.

        Raises
        ------
        BoundUnknownError
            It could not be measured; the message says why.
        """
        ...


@runtime_checkable
class LongCalls(Protocol):
    """A workload that asks for longer timed calls than the runner's default."""

    batch_s: float  # [s] length of one call of `run`


@runtime_checkable
class ContinuousWorkload(Protocol):
    """A workload whose device works by itself, such as a server or a miner: `run` only waits.

    Its work is counted by the time stamps of what came, and may be known only after the windows.
    """

    def start(self) -> None:
        """Start the load and return once it is steady; idle power has been measured before."""
        ...

    def stop(self) -> None:
        """End the load; afterwards all work up to now is known, and idle power may be measured."""
        ...

    def work_between(self, start_s: float, end_s: float) -> float:
        """Return the work between two times [s, monotonic], as known so far."""
        ...


@runtime_checkable
class CheckedWindows(Protocol):
    """A continuous workload that can say why its device did no work in a window."""

    def check_windows(self, spans: Spans) -> None:
        """See that there was work in each of these windows, once the load has ended.

        Raises
        ------
        RunFailedError
            There was none in a window; the message and its code say why.
        """
        ...


@runtime_checkable
class UncertainWork(Protocol):
    """A workload whose count of work has an uncertainty of its own (method rule 13)."""

    u_work_frac: float  # [-] standard uncertainty of the work


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a device that works by itself showed during the windows, for the record."""

    reasons: tuple["Reason", ...] = ()
    metrics: Mapping[str, "Metric"] = field(default_factory=dict)  # besides rate, energy and power
    miner: "MinerEvidence | None" = None
    endpoint: "EndpointEvidence | None" = None


@runtime_checkable
class WithEvidence(Protocol):
    """A workload whose device shows more during the windows than its work."""

    def evidence(self, spans: Spans) -> Evidence:
        """Return what the device showed during these windows."""
        ...


@runtime_checkable
class OtherWork(Protocol):
    """A workload that counts more than its unit of work: requests besides tokens."""

    def other_work(self, spans: Spans) -> Mapping[str, Sequence[float]]:
        """Return what was counted by its unit, one figure a window."""
        ...


@runtime_checkable
class CountedWork(Protocol):
    """A workload whose device always works by itself, and whose work is counted by random events.

    Each event stands for a known mean amount of work, so the number of events gives the interval of the work; the
    scatter of the windows would count the same chance twice (method rule 8).
    """

    def work_interval(self, spans: Spans) -> tuple[float, float]:
        """Return the 95 % interval of the work of these windows over the work that was counted [-]."""
        ...


@dataclass(frozen=True, slots=True)
class WorkloadOptions:
    """The options of a workload that a user may set."""

    device: str = "cpu"  # `cpu` or `gpu:<index>`
    variant: str | None = None  # None takes the fastest by calibration
    threads: int | None = None  # CPU threads; None takes the cores that the process and its quota allow
    extra: Mapping[str, object] = field(default_factory=dict)  # options of a single workload (`model`, `batch`)
