"""The content of a recorded power log, and how it was understood."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from hardware_profiles.errors import InputError

SETTINGS = (
    "time", "column", "time_format", "unit", "decimal", "thousands", "encoding", "skip", "where", "sum",
)  # fmt: skip
Values = npt.NDArray[np.float64]


class EmptyLogError(InputError):
    """A log without a single sample: a fault after a run, but not before it."""


class Samples(Sequence[tuple[float, float | None]]):
    """The samples of a log as pairs of time and power, kept as two arrays: a log may have millions."""

    __slots__ = ("power_w", "times_s")

    def __init__(self, times_s: Values, power_w: Values) -> None:
        self.times_s = times_s  # by the log's own clock [s since 1970, before any offset]
        self.power_w = power_w  # [W] NaN if the reading is missing

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.times_s)

    @overload
    def __getitem__(self, index: int) -> tuple[float, float | None]: ...
    @overload
    def __getitem__(self, index: slice) -> "Samples": ...
    def __getitem__(self, index: int | slice) -> "tuple[float, float | None] | Samples":
        """Return one sample, its power None if the reading is missing, or the samples of a slice."""
        if isinstance(index, slice):
            return Samples(self.times_s[index], self.power_w[index])
        watts = float(self.power_w[index])
        return float(self.times_s[index]), None if np.isnan(watts) else watts

    def __eq__(self, other: object) -> bool:
        """Return whether all times and powers are the same."""
        if not isinstance(other, Samples):
            return NotImplemented
        same_times = np.array_equal(self.times_s, other.times_s)
        return same_times and np.array_equal(self.power_w, other.power_w, equal_nan=True)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Log:
    """The samples of a log, with what was read from its header and its columns."""

    form: str  # `csv`, `ptdaemon` or `ipmi`
    samples: Samples  # time and power [W], None if the reading is missing
    malformed: tuple[int, ...]  # numbers of unreadable lines
    clock_back: tuple[float, ...]  # [s since 1970] times before which the log's clock went back
    column: str  # as the file names it
    unit: str  # as it was read: `W`, `mW` …
    sha256: str  # of the file's bytes, in hexadecimal digits
    time: str = ""  # column of times, as the file names it
    filter: str = ""  # `where=…` or `sum=…` as applied, empty without one
    encoding: str = "utf-8"
    period_s: float | None = None  # [s] time between readings that differ, None if there are too few
    step_s: float | None = None  # [s] median time between rows
    understood: tuple[str, ...] = ()  # one clause each on what else was recognised, e.g. "newest row first"
