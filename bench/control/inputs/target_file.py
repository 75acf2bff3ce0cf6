"""Load targets of a file, in the words of grid interfaces: a value, its unit, a start, and an end or none."""

import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field

from bench.control.inputs.looker import Looker
from bench.control.inputs.price_file import version
from bench.control.inputs.source import Known
from bench.control.inputs.tables import TargetTable, Text, Unit
from hardware_profiles.errors import InputError
from hardware_profiles.opening import Kind, read_input
from hardware_profiles.reading import parse_toml, validate
from hardware_profiles.tables import Broken, Table, rule
from sites.control.model import LoadTarget

MW_PER = {"kilowatt": 0.001, "megawatt": 1.0}
_FILE = Kind("file of load targets", 2**20, by_user=False)
_MOST = 1000
AHEAD_S = 86_400.0  # [s] within which a coming target is of interest


class _Target(Table):
    """[[target]]: the most that the site may draw for a time."""

    value: Annotated[float, Field(strict=True, ge=0, le=1e9, allow_inf_nan=False)]
    unit: Unit
    start: AwareDatetime
    end: AwareDatetime | None = None  # until another target takes its place
    source: Text

    @rule
    def _ends_after_its_start(self) -> Iterator[Broken]:
        if self.end is not None and self.end <= self.start:
            yield Broken("expected an end after the start, got one before it", ("end",))


class _Targets(Table):
    """A file of load targets."""

    target: Annotated[tuple[_Target, ...], Field(max_length=_MOST)] = ()


def read_targets(path: Path, now_s: float) -> tuple[LoadTarget, ...]:
    """Return the targets of a file, by their start.

    A target without an end holds until the next one without an end starts.

    Parameters
    ----------
    path
        The file (TOML).
    now_s
        Now, the time at which they came in [s, Unix].

    Raises
    ------
    InputError
        The file cannot be read, a unit is not kilowatt or megawatt, a time has no offset, or an end is not after its
        start.
    """
    document = validate(_Targets, parse_toml(read_input(path, _FILE), path), path)
    rows = sorted(document.target, key=lambda row: row.start)
    open_starts = [row.start for row in rows if row.end is None]
    return tuple(
        LoadTarget(
            limit_mw=row.value * MW_PER[row.unit],
            start_s=row.start.timestamp(),
            end_s=_end_s(row.end or next((start for start in open_starts if start > row.start), None)),
            received_s=now_s,
            source=f"file:{path.name}: {row.source}",
        )
        for row in rows
    )


def _end_s(end: datetime | None) -> float | None:
    return None if end is None else end.timestamp()


def kept(before: tuple[LoadTarget, ...], fresh: tuple[LoadTarget, ...]) -> tuple[LoadTarget, ...]:
    """Return the fresh targets; one that was known already keeps the time at which it was received."""
    known = {_content(target): target for target in before}
    return tuple(known.get(_content(target), target) for target in fresh)


def _content(target: LoadTarget) -> tuple[object, ...]:
    return target.limit_mw, target.start_s, target.end_s, target.source


def current(targets: tuple[LoadTarget, ...], now_s: float) -> tuple[LoadTarget, ...]:
    """Return the targets that hold now or within a day."""
    return tuple(
        target
        for target in targets
        if target.start_s < now_s + AHEAD_S and (math.inf if target.end_s is None else target.end_s) > now_s
    )


class TargetFile:
    """A file of load targets, which is read again whenever it changes."""

    def __init__(self, table: TargetTable, path: Path, started_s: float, before: tuple[LoadTarget, ...]) -> None:
        self._path, self._silence_s = path, table.silence_s
        self._seen: object = ...  # what the file was at the last good look; `...` before it
        self._good_s = started_s  # [s, Unix] of the last look at which the file was as it should be
        self._targets = before
        self._fault = ""
        self._looker = Looker(f"target file:{path.name}", self._look, table.poll_s)

    def known(self, now_s: float) -> Known:
        """Return the targets that hold at a time or later, and look at the file if that is due."""
        self._looker.tick(now_s)
        faults = tuple(fault for fault in (self._fault, self._looker.fault) if fault)
        is_lost = bool(faults) and now_s - self._good_s > self._silence_s
        return Known(targets=current(self._targets, now_s), faults=faults, lost=is_lost)

    def wait(self, timeout_s: float) -> bool:
        """Wait until no look is under way."""
        return self._looker.wait(timeout_s)

    def close(self) -> None:
        """End the looks."""
        self._looker.close()

    def _look(self, now_s: float) -> None:
        seen = version(self._path)
        if seen != self._seen or self._fault:
            try:
                fresh = read_targets(self._path, now_s)
            except InputError as error:
                self._fault = f"target {error.faults[0]}"
                return
            self._targets, self._seen, self._fault = kept(self._targets, fresh), seen, ""
        self._good_s = now_s
