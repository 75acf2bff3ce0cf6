"""What can be measured: the one shape that a kernel, a model replay, a miner or an endpoint takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable


class VerificationError(RuntimeError):
    """A workload gave a wrong answer on this device: it gets no number."""


@dataclass(frozen=True, slots=True)
class Check:
    """One known answer that was asked for and given."""

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one call of `run` did.

    Attributes
    ----------
    work
        Amount of work, in the workload's unit.
    cpu_time_s
        CPU time of the threads that did it, summed [s]; None where a device did the work.
    """

    work: float
    cpu_time_s: float | None = None


@runtime_checkable
class Workload(Protocol):
    """Something that does countable work on a device, verified before and after it is timed.

    Attributes
    ----------
    name
        `<operation>[_<dtype>][_<layout>]_<backend>`, as on the command line.
    version
        Changes when *what* is measured changes; results of unequal versions do not compare.
    unit
        Singular name of the work: `hash`, `flop`, `byte`, `token`.
    variant
        The implementation that runs; empty before `prepare` has chosen one.
    """

    name: str
    version: int
    unit: str
    variant: str

    def prepare(self) -> None:
        """Allocate, compile and warm whatever `run` needs, so that `run` holds only the work."""
        ...

    def verify(self) -> list[Check]:
        """Give known answers on this device before the first timing.

        Raises
        ------
        VerificationError
            An answer was wrong.
        """
        ...

    def run(self, n: int) -> Batch:
        """Do `n` units of repetition and return once they are done; the runner picks `n`."""
        ...

    def check_output(self) -> list[Check]:
        """Check what the timed calls themselves produced.

        Raises
        ------
        VerificationError
            The output of a timed call was wrong.
        """
        ...

    def parameters(self) -> Mapping[str, object]:
        """Everything that a reader needs to repeat the measurement: shapes, dtype, threads, seeds."""
        ...

    def close(self) -> None:
        """Release what `prepare` took; may be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class WorkloadOptions:
    """What a user may ask of a workload.

    Attributes
    ----------
    device
        `cpu` or `gpu:<index>`.
    variant
        A variant's name, or None for the best one here by calibration.
    threads
        CPU threads, at least 1, or None for every core that the process may use.
    extra
        Options of a single workload, by name (`model`, `batch`).
    """

    device: str = "cpu"
    variant: str | None = None
    threads: int | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
