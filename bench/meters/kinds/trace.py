"""A recorded log as a meter: it is joined to a run by UTC with a stated clock offset, after the run."""

import contextlib
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from bench import limits
from bench.meters.integrate import power_energy
from bench.meters.logs import SETTINGS, EmptyLogError, Log, read_log
from bench.meters.protocol import (
    EnergyReading,
    Found,
    Meter,
    MeterInfo,
    MeterKind,
    MeterKindEntry,
    MeterOptions,
    Reading,
    Tier,
)
from bench.meters.settings import Stated, positive, read_stated
from hardware_profiles.errors import InputError

WAIT_S = 60.0  # [s] longest wait for a log that does not yet cover the run


class Trace:
    """The log of a wall meter, read after the run; during the run only the clocks are watched.

    Parameters
    ----------
    path
        The log.
    stated
        Accuracy, tier, boundary and period that the user stated.
    clock_offset_s
        The log's clock minus UTC [s]; a log in local time five hours behind UTC has -18000.
    settings
        Names of columns and the format of times, as for `read_log`.
    wait_s
        Longest wait for the log to cover the run [s].
    wall_clock
        The clock of this machine, UTC [s since 1970].
    """

    def __init__(  # noqa: PLR0913 (each a setting of the log)
        self,
        path: Path,
        stated: Stated,
        *,
        clock_offset_s: float = 0.0,
        settings: dict[str, str] | None = None,
        wait_s: float = WAIT_S,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.clock_offset_s = clock_offset_s
        self._settings = {key: value for key, value in (settings or {}).items() if key in SETTINGS}
        self._wait_s = wait_s
        self._deadline: float | None = None
        self._wall_clock = wall_clock
        self._anchors: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._file_state: tuple[float, int] | None = None
        self._log: Log | None = None
        self.fault = ""
        self.notice = ""
        self._info = stated.power_meter(
            f"trace:{path.name}",
            domain=f"trace:{path.resolve()}",
            scope=f"as the log defines it; its clock is taken as UTC {clock_offset_s:+g} s",
        )

    @property
    def info(self) -> MeterInfo:
        """The description of the log as a meter."""
        return self._info

    def open(self) -> None:
        """Read an existing log, so that a wrong file is found before the run, and watch the clocks.

        Raises
        ------
        InputError
            The file's folder does not exist, or the file is not a log.
        """
        if self.path.exists():
            with contextlib.suppress(EmptyLogError):
                read_log(self.path, self._settings)
            self._load()
        elif not self.path.parent.is_dir():
            raise InputError.at(
                f"--meter trace:{self.path}", expected="a folder that exists", got=str(self.path.parent)
            )
        else:
            self.notice = (
                f"{self.path}: this log does not exist yet; after each workload perwatt waits for it for up to "
                f"{self._wait_s:g} s (`trace:FILE,wait=SECONDS` changes this)"
            )
        self.mark()
        self._thread = threading.Thread(target=self._watch, name="trace clock", daemon=True)
        self._thread.start()

    def mark(self) -> None:
        """Note both clocks now; the wait for the log starts anew in a run that goes on."""
        self._deadline = None
        self._note_clocks()

    def _note_clocks(self) -> None:
        self._anchors.append((time.monotonic(), self._wall_clock()))

    def readings(self) -> Sequence[Reading]:
        """Return the log's samples on the monotonic clock, from the start of the run to now."""
        if self._log is None or not self._anchors:
            return ()
        offset_s = self._offset_s()
        first, last = self._anchors[0][0], time.monotonic()
        return [reading for reading in self._on_utc(offset_s) if first <= reading.t_s <= last]

    def energy(self, t0: float, t1: float) -> EnergyReading:
        """Return the energy from t0 to t1 [s, monotonic]; wait up to `wait_s` in all until the log covers them."""
        self._note_clocks()
        offsets = [utc - t for t, utc in self._anchors]
        offset_s = self._offset_s()
        energy = self._energy(t0 + offset_s, t1 + offset_s, offset_s)
        return energy.judged(("clock_step_join",)) if max(offsets) - min(offsets) > limits.CLOCK_STEP_S else energy

    def energy_utc(self, u0: float, u1: float) -> EnergyReading:
        """Return the energy between two moments of UTC [s since 1970], for a run that is already stored."""
        return self._energy(u0, u1, 0.0)

    def read_now(self) -> None:
        """Read the log as it is, without waiting for it to grow.

        Raises
        ------
        InputError
            The file does not exist or is not a log.
        """
        read_log(self.path, self._settings)
        self._wait_s = 0.0

    def samples_utc(self) -> Sequence[tuple[float, float | None]]:
        """Return the log's samples as (UTC [s since 1970], power [W])."""
        self._load()
        return [(when - self.clock_offset_s, watts) for when, watts in self._log.samples] if self._log else []

    def close(self) -> None:
        """Stop watching the clocks."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=5.0)

    def _energy(self, u0: float, u1: float, offset_s: float) -> EnergyReading:
        self._wait_for(u1)
        readings = self._on_utc(offset_s)
        energy = power_energy(self._info, readings, u0 - offset_s, u1 - offset_s)
        codes = []
        if self._log is None or not readings or readings[0].t_s > u0 - offset_s or readings[-1].t_s < u1 - offset_s:
            codes.append("trace_not_covering")
        if self._log is not None:
            if any(u0 <= back - self.clock_offset_s <= u1 for back in self._log.clock_back):
                codes.append("trace_clock_back")
            if self._log.malformed:
                codes.append("trace_malformed")
        return replace(energy.judged(codes), detail=self.fault or self._span())

    def _wait_for(self, u1: float) -> None:
        if self._deadline is None:
            self._deadline = time.monotonic() + self._wait_s
        while True:
            self._load()
            if self._log is not None and self._log.samples[-1][0] - self.clock_offset_s >= u1:
                return
            left_s = self._deadline - time.monotonic()
            if left_s <= 0.0:
                return
            time.sleep(min(0.5, left_s))

    def _load(self) -> None:
        """Read the log again if it changed; keep a fault as text, because the log may be incomplete."""
        try:
            status = self.path.stat()
            state = (status.st_mtime, status.st_size)
        except OSError as error:
            self.fault = f"{self.path}: {error.strerror}"
            return
        if state == self._file_state:
            return
        try:
            self._log, self.fault = read_log(self.path, self._settings), ""
        except InputError as error:
            self.fault = str(error)
            return
        self._file_state = state
        steps = [b[0] - a[0] for a, b in pairwise(self._log.samples)]
        if steps:
            period_s = max(self._info.period_s, statistics.median(steps))
            self._info = replace(self._info, period_s=period_s, averaging_s=period_s)

    def _on_utc(self, offset_s: float) -> list[Reading]:
        """Return the samples on a clock that is `offset_s` behind UTC, each with its own time as its token."""
        if self._log is None:
            return []
        readings = []
        for when, watts in self._log.samples:
            utc_s = when - self.clock_offset_s
            codes = () if watts is not None else ("bad_sample",)
            readings.append(Reading(utc_s - offset_s, utc_s, watts, (when,), codes))
        return readings

    def _offset_s(self) -> float:
        return self._anchors[0][1] - self._anchors[0][0]

    def _span(self) -> str:
        if self._log is None:
            return "no log"
        first, last = self._log.samples[0][0], self._log.samples[-1][0]
        utc = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t - self.clock_offset_s)) for t in (first, last)]
        return f"{self._log.form} log of {len(self._log.samples)} samples, {utc[0]} to {utc[1]} after the offset"

    def _watch(self) -> None:
        while not self._stop.wait(1.0):
            self._note_clocks()


def _make(target: str, settings: dict[str, str], options: MeterOptions) -> Meter:
    if not target:
        raise InputError.at("--meter trace", expected="a file, as in trace:power.csv")
    place = f"trace:{target}"
    stated = read_stated(place, settings, options, boundary="wall", more=(*SETTINGS, "wait"))
    wait_s = positive(f"--meter {place}", "wait", settings["wait"]) if "wait" in settings else WAIT_S
    return Trace(Path(target), stated, clock_offset_s=options.clock_offset_s, settings=settings, wait_s=wait_s)


def _find() -> list[Found]:
    reason, cure = "no log was named", "perwatt run --meter trace:FILE (a CSV of time and watts, or a PTDaemon log)"
    return [Found("trace", MeterKind.POWER, "wall", Tier.C, usable=False, reason=reason, cure=cure, spec="trace:FILE")]


ENTRY = MeterKindEntry("trace", "a recorded log of any wall meter, read after the run", _make, _find)
