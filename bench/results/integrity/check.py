"""The check of a whole results folder: each result is read in full, its samples included."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.limits import RECOMPUTED_FRAC
from bench.results.folder import read_whole
from bench.results.layout import SAMPLES_FILE, result_names
from bench.results.record import Record
from bench.results.samples import read_samples
from hardware_profiles.errors import InputError
from hardware_profiles.opening import is_there


class Checked(NamedTuple):
    """One entry of a results folder."""

    entry: str
    fault: str  # empty for a sound result


def check_store(store: Path) -> Iterator[Checked]:
    """Yield each entry of a results folder with its fault: first what is no result, then the results, oldest first.

    Raises
    ------
    InputError
        There is no such folder, or it is not readable.
    """
    if not is_there(store):
        raise InputError(f"{store}: expected a results folder, got none")
    strangers: list[str] = []
    names = result_names(store, strangers.append)
    for fault in strangers:
        yield Checked(fault.removeprefix(f"{store}/").partition(":")[0], fault)
    for name in names:
        yield Checked(name, _fault(store / name))


def _fault(folder: Path) -> str:
    try:
        record = read_whole(folder)
        if any(file.name == SAMPLES_FILE for file in record.artifacts):
            return _work_fault(folder, record)
    except InputError as fault:
        return str(fault)
    return ""


def _work_fault(folder: Path, record: Record) -> str:
    """Return the fault of a result whose samples do not add up to the work of its windows."""
    samples = read_samples(folder).to_pydict()
    work: dict[int, list[float]] = {}
    for series, window, value in zip(samples["series"], samples["window"], samples["value"], strict=True):
        if series == "work":
            work.setdefault(window, []).append(value)
    for window in record.windows:
        total = math.fsum(work.get(window.index, ()))
        if work and not math.isclose(total, window.work, rel_tol=RECOMPUTED_FRAC, abs_tol=1e-9):
            return (
                f"{folder}: key windows[{window.index}].work: expected {total:.9g} of {SAMPLES_FILE}, "
                f"got {window.work:.9g}: it was changed"
            )
    return ""
