"""A recorded log as a meter: it is joined to a run by UTC with a stated clock offset, after the run."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bench import limits
from bench.meters.integrate import power_energy
from bench.meters.kinds import trace_period
from bench.meters.kinds.trace_samples import PlacedSamples, RunClock, span_text
from bench.meters.logs import SETTINGS, EmptyLogError, Log, LogReader
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
    own_period
        Whether the log's own step is its update period, because the user stated none.
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
        own_period: bool = False,
        clock_offset_s: float = 0.0,
        settings: dict[str, str] | None = None,
        wait_s: float = WAIT_S,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.clock_offset_s = clock_offset_s
        self.log: Log | None = None  # as it was last read
        self.fault = ""
        self.notice = ""
        self._settings = {key: value for key, value in (settings or {}).items() if key in SETTINGS}
        self._reader = LogReader(path, self._settings)
        self._stated_s = None if own_period else stated.period_s
        self._wait_s = wait_s
        self._deadline: float | None = None
        self._wall_clock = wall_clock
        self._anchors: list[tuple[float, float]] = []
        self._run_clock: RunClock | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._file_state: tuple[float, int] | None = None
        self._info = self._of_column(
            stated.power_meter(f"trace:{path.name}", domain="", scope=self._scope()),
            self._settings.get("column", ""),
            " ".join(f"{key} {self._settings[key]}" for key in ("where", "sum") if key in self._settings),
        )

    @property
    def info(self) -> MeterInfo:
        """The description of the log as a meter."""
        return self._info

    def rename(self, label: str) -> None:
        """Give the log another name than that of its file."""
        self._info = replace(self._info, name=f"trace:{label}")

    def open(self) -> None:
        """Read an existing log, so that a wrong file is found before the run, and watch the clocks.

        Raises
        ------
        InputError
            The file's folder does not exist, or the file is not a log or too slow.
        """
        if self.path.exists():
            try:
                log = self._read()
                self._describe(log, trace_period.planned_period_s(str(self.path), log, self._stated_s))
            except EmptyLogError as error:
                self.fault = str(error)
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

    def join(self, clock: RunClock) -> None:
        """Read the log as it is, and place it on the clock of a stored run.

        Raises
        ------
        InputError
            The file does not exist or is not a log.
        """
        self._describe(self._read())
        self._reader = LogReader(self.path, self._settings)  # the log is not expected to grow
        self._wait_s, self._run_clock = 0.0, clock

    def mark(self) -> None:
        """Note both clocks now; the wait for the log starts anew in a run that goes on."""
        self._deadline = None
        self._note_clocks()

    def _note_clocks(self) -> None:
        if self._run_clock is None:
            self._anchors.append((time.monotonic(), self._wall_clock()))

    def readings(self) -> Sequence[Reading]:
        """Return the log's samples on the run's clock, from the start of the run to its end or to now."""
        run = self._run()
        placed = self._placed() if run is not None else None
        return () if run is None or placed is None else placed.readings(*placed.between(*run))

    def readings_at(self, start: int, stop: int) -> list[Reading]:
        """Return the samples from one index to another, on the run's clock."""
        return self._placed().readings(start, stop)

    def samples_of_run(self) -> int:
        """Return the number of samples from the start of the run to its end or to now."""
        run = self._run()
        if run is None:
            return 0
        start, stop = self._placed().between(*run)
        return stop - start

    def energy(self, t0: float, t1: float) -> EnergyReading:
        """Return the energy from t0 to t1 [s, the run's clock]; wait at most `wait_s` until the log covers them."""
        self._note_clocks()
        offsets = [utc - t for t, utc in self._anchors] or [0.0]
        energy = self._energy(t0, t1)
        return energy.judged(("clock_step_join",)) if max(offsets) - min(offsets) > limits.CLOCK_STEP_S else energy

    def close(self) -> None:
        """Stop watching the clocks."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=5.0)

    def _energy(self, t0: float, t1: float) -> EnergyReading:
        u0, u1 = t0 + self._shift_s(), t1 + self._shift_s()
        self._wait_for(u1)
        placed, clock, info = self._placed(), self._run_clock, self.info
        late_s = 0.0 if clock is None else clock.bound_s  # by which the window may lie elsewhere on the log's clock
        around_s = late_s + (info.averaging_s if late_s else 0.0)
        energy = power_energy(info, placed.around(t0 - around_s, t1 + around_s), t0, t1, late_s)
        codes = []
        if clock is not None:
            energy = clock.judged(energy)
        if not placed.cover(t0 - late_s, t1 + late_s):
            codes.append("trace_not_covering")
        if self.log is not None:
            if any(u0 <= back - self.clock_offset_s <= u1 for back in self.log.clock_back):
                codes.append("trace_clock_back")
            if self.log.malformed:
                codes.append("trace_malformed")
        detail = self.fault or "; ".join(filter(None, (energy.detail, span_text(self.log, self.clock_offset_s))))
        return replace(energy.judged(codes), detail=detail)

    def _wait_for(self, u1: float) -> None:
        if self._deadline is None:
            self._deadline = time.monotonic() + self._wait_s
        while True:
            self._read_again()
            if self.log is not None and self.log.samples[-1][0] - self.clock_offset_s >= u1:
                return
            left_s = self._deadline - time.monotonic()
            if left_s <= 0.0:
                return
            time.sleep(min(0.5, left_s))

    def _read_again(self) -> None:
        """Read the log again if it changed; keep a fault as text, because the log may be incomplete."""
        try:
            status = self.path.stat()
            if (status.st_mtime, status.st_size) != self._file_state:
                self._describe(self._read())
        except OSError as error:
            self.fault = f"{self.path}: {error.strerror}"
        except InputError as error:
            self.fault = str(error)

    def _read(self) -> Log:
        state = None
        if self.path.exists():
            status = self.path.stat()
            state = (status.st_mtime, status.st_size)
        self.log, self.fault = self._reader.read(), ""
        self._file_state = state
        return self.log

    def _describe(self, log: Log, period_s: float | None = None) -> None:
        """Complete the description by what the log holds; without a period, by the one that it shows."""
        period_s = trace_period.update_period_s(log, self._stated_s) if period_s is None else period_s
        period_s = period_s or self._info.period_s  # a log of one row shows none
        self._info = replace(
            self._of_column(self._info, log.column, log.filter),
            period_s=period_s,
            averaging_s=period_s,
            poll_s=period_s,
            scope=self._scope(log),
            unit=log.unit,
            sha256=log.sha256,
        )
        self.notice = trace_period.notice(str(self.path), log, self._stated_s)

    def _of_column(self, info: MeterInfo, column: str, rows: str) -> MeterInfo:
        """Return the description for one column, and some rows, of the log: a source of its own."""
        mark = " ".join(filter(None, (column, rows)))
        domain = f"trace:{os.path.realpath(self.path)}" + (f"[{mark}]" if mark else "")
        return replace(info, column=column, rows=rows, domains=(domain,))

    def _placed(self) -> PlacedSamples:
        """Return the samples on the run's clock."""
        samples = None if self.log is None else self.log.samples
        return PlacedSamples(samples, self.clock_offset_s, self._shift_s())

    def _run(self) -> tuple[float, float] | None:
        """Return the start of the run and its end, or now [s, the run's clock]; None before it starts."""
        if self._run_clock is not None:
            return self._run_clock.first_s, self._run_clock.last_s
        return (self._anchors[0][0], time.monotonic()) if self._anchors else None

    def _shift_s(self) -> float:
        """Return UTC minus the run's clock [s]."""
        return self._run_clock.shift_s if self._run_clock is not None else self._anchors[0][1] - self._anchors[0][0]

    def _scope(self, log: Log | None = None) -> str:
        step = f"; a new value every {trace_period.seen_s(log):.3g} s" if log else ""
        stated = f", {self._stated_s:g} s stated" if log and self._stated_s is not None else ""
        return f"as the log defines it; its clock is taken as UTC {self.clock_offset_s:+g} s{step}{stated}"

    def _watch(self) -> None:
        while not self._stop.wait(1.0):
            self._note_clocks()


def _make(target: str, settings: dict[str, str], options: MeterOptions) -> Meter:
    if not target:
        raise InputError.at("--meter trace", expected="a file, as in trace:power.csv")
    place = f"trace:{target}"
    stated = read_stated(place, settings, options, boundary="wall", more=(*SETTINGS, "wait"))
    from bench.meters.kinds.pending_log import LATER, PendingLog  # it is a Trace

    later = settings.get("wait") == LATER
    known = "wait" in settings and not later
    wait_s = positive(f"--meter {place}", "wait", settings["wait"]) if known else WAIT_S
    return (PendingLog if later else Trace)(
        Path(target),
        stated,
        own_period="period" not in settings and options.period_s is None,
        clock_offset_s=options.clock_offset_s,
        settings=settings,
        wait_s=wait_s,
    )


def _find() -> list[Found]:
    reason, cure = "no log was named", "perwatt run --meter trace:FILE (a CSV of time and watts, or a PTDaemon log)"
    return [Found("trace", MeterKind.POWER, "wall", Tier.C, usable=False, reason=reason, cure=cure, spec="trace:FILE")]


ENTRY = MeterKindEntry("trace", "a recorded log of any wall meter, read after the run", _make, _find)
