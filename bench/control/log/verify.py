"""The check of an audit log: no line was changed, and every decision made again is the same, bit for bit."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench.control.log import stored
from bench.control.log.audit import AUDIT_FILE, ChainError, lines
from bench.control.log.fold import Fold, cut_words, replayed
from hardware_profiles.errors import InputError
from hardware_profiles.opening import is_there

MOST_FAULTS = 10


class Verified(NamedTuple):
    """What the check of a log says."""

    lines: int
    cycles: int
    commands: int
    head_sha256: str  # of the last line: note it elsewhere, and no later change of the whole log goes unseen
    faults: tuple[str, ...] = ()


def verify(folder: Path) -> Verified:
    """Return what the check of a folder's log says.

    A log that was cut at its end is seen by its snapshot, which names a later line.

    Raises
    ------
    InputError
        There is no log.
    """
    path = folder / AUDIT_FILE
    if not is_there(path):
        raise InputError(f"{path}: expected an audit log, got no such file; `perwatt control SITE` writes one")
    count = cycles = commands = 0
    head, faults = "", []
    kept = stored.snapshot(folder)
    saw_kept = kept is None
    try:
        for one in replayed(lines(path), Fold(), partial(stored.setup_of, folder)):
            count, head = one.line.number, one.line.sha256
            saw_kept = saw_kept or (kept is not None and (count, head) == kept[:2])
            if one.row["kind"] == "cycle":
                cycles += 1
                commands += len(one.row["decision"].get("commands", ()))
            if one.fault:
                faults.append(f"{path}: line {count}: {one.fault}")
            if len(faults) >= MOST_FAULTS:
                break
    except (ChainError, InputError) as error:
        faults.append(str(error))
    if not saw_kept and kept is not None and not faults:
        faults.append(f"{path}: {cut_words(kept)}")
    return Verified(count, cycles, commands, head, tuple(faults))
