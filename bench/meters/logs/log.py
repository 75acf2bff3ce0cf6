"""The content of a recorded power log, and how it was understood."""

from dataclasses import dataclass

from hardware_profiles.errors import InputError

SETTINGS = (
    "time", "column", "time_format", "unit", "decimal", "thousands", "encoding", "skip", "where", "sum",
)  # fmt: skip


class EmptyLogError(InputError):
    """A log without a single sample: a fault after a run, but not before it."""


@dataclass(frozen=True, slots=True)
class Log:
    """The samples of a log, with what was read from its header and its columns."""

    form: str  # `csv`, `ptdaemon` or `ipmi`
    # time by the log's own clock [s since 1970, before any offset] and power [W], None if the reading is missing
    samples: tuple[tuple[float, float | None], ...]
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
