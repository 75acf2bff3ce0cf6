"""Writing of result folders: completely or not at all, and rehearsed before a run spends minutes."""

import contextlib
import itertools
import os
import secrets
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from bench.errors import RunFailedError, not_written
from bench.results.integrity.digests import DIGESTS_FILE, digest, digests_text
from bench.results.layout import RECORD_FILE, SAMPLES_FILE, TEMPORARY_PREFIX, second_folders
from bench.results.record import Artifact, Reason, Record
from bench.results.samples import Sample, parquet_of
from bench.results.text import encodable
from hardware_profiles.errors import InputError
from hardware_profiles.opening import is_folder, is_there
from sites.files import UnflushedError, flush, new_folder

_numbers = itertools.count(secrets.randbits(32))
_WRITERS = 16  # threads that write many results; nearly all of the time is that of flushing
_TRIAL_BYTES = 2**20  # [byte] more than most results take


def new_id(workload: str, started: datetime) -> str:
    """Return a record id that sorts by time: `<UTC>-<workload>-<8 hex>`.

    The digits count up from a random start, so that no two ids of a process are equal and those of two processes
    hardly ever.
    """
    return f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{workload}-{next(_numbers) % 2**32:08x}"


def _number_anew() -> None:
    """Let a forked child number its records from a start of its own."""
    global _numbers  # noqa: PLW0603 (a fork copies the counter)
    _numbers = itertools.count(secrets.randbits(32))


os.register_at_fork(after_in_child=_number_anew)


def prepare_store(store: Path) -> str:
    """Make the results folder and rehearse the writing of a result in it, before a run spends minutes.

    Returns
    -------
    str
        One line for the user where the file system cannot flush a folder, else an empty text.

    Raises
    ------
    InputError
        The path or a parent is a file, or a result could not be written there: no permission, a full disk, a quota,
        a name that is too long, a folder that cannot be flushed. Or the library that packs samples does not work.
    """
    try:
        parquet_of([Sample("work", 0, 0.0, 0.0, 0.0, 0.0, "")])
    except Exception as error:  # noqa: BLE001 (a library that fails in any way is refused before it costs a run)
        raise InputError(
            f"pyarrow: expected a package that packs samples, got {type(error).__name__}: {error}"
        ) from None
    try:
        store.mkdir(parents=True, exist_ok=True)
        can_flush = _rehearse(store)
    except (FileExistsError, NotADirectoryError):
        blocker = next((path for path in (store, *store.parents) if is_there(path) and not is_folder(path)), store)
        raise InputError(f"--out: expected a folder that can be made, got {blocker}, which is a file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"--out: expected a folder that results can be written to, got {store}: {reason}") from None
    if can_flush:
        return ""
    return f"{store}: its file system cannot flush a folder: a crash of the machine may lose the latest results"


def _rehearse(store: Path) -> bool:
    """Write, flush, rename and remove a folder as long in name as a result; return whether folders can be flushed."""
    trial, renamed = (store / f"{TEMPORARY_PREFIX}trial-{secrets.token_hex(56)}" for _ in range(2))
    try:
        trial.mkdir()
        _write(trial / SAMPLES_FILE, bytes(_TRIAL_BYTES))
        flush(trial / SAMPLES_FILE)
        can_flush = flush(trial)
        trial.rename(renamed)
        return flush(store) and can_flush
    finally:
        for folder in (trial, renamed):
            shutil.rmtree(folder, ignore_errors=True)


def write_record(store: Path, record: Record, samples: Sequence[Sample]) -> Path:
    """Write a record and its samples as the folder `store/<id>` and return it.

    A reader sees the folder completely or not at all: it is filled under a temporary name, flushed and renamed. Where
    that fails, the result is written to a second folder, and the error says where it is and how to bring it back.

    Raises
    ------
    RunFailedError
        The system refused (disk full, permission), or a result of this id exists.
    """
    try:
        return _write_folder(store, record, samples)
    except UnflushedError as error:
        raise not_written(store / record.id, error) from error
    except (OSError, InputError) as error:
        rescued = _rescue(record, samples)
        final = (
            error.filename if rescued is None and isinstance(error, OSError) and error.filename else store / record.id
        )
        raise not_written(final, error, rescued, store) from error


def write_records(store: Path, results: Sequence[tuple[Record, Sequence[Sample]]]) -> None:
    """Write several results, all or none: after an error those that were written are removed again.

    Raises
    ------
    RunFailedError
        The system refused, or a result of one of the ids exists.
    """
    written: list[Path] = []
    pool = ThreadPoolExecutor(_WRITERS)
    try:
        for _ in pool.map(lambda result: written.append(_write_folder(store, *result)), results):
            pass
    except BaseException as error:
        pool.shutdown(cancel_futures=True)
        for folder in written:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError | InputError):
            raise not_written(getattr(error, "filename", None) or store, error) from error
        raise
    pool.shutdown()


def _write_folder(store: Path, record: Record, samples: Sequence[Sample]) -> Path:
    final = store / record.id
    if is_there(final):
        raise RunFailedError(f"{final}: a result of this id exists, and results are never overwritten")
    with new_folder(final, f"{TEMPORARY_PREFIX}{record.id}-") as folder:
        artifacts: tuple[Artifact, ...] = ()
        packed, reasons = _packed(samples)
        if packed:
            _write(folder / SAMPLES_FILE, packed)
            artifacts = (Artifact(name=SAMPLES_FILE, sha256=digest(packed), size_bytes=len(packed)),)
        changes = {"artifacts": artifacts, "digests_file": DIGESTS_FILE, "warnings": (*record.warnings, *reasons)}
        content = _json(record.model_copy(update=changes))
        _write(folder / RECORD_FILE, content)
        digests = {RECORD_FILE: digest(content), **{one.name: one.sha256 for one in artifacts}}
        _write(folder / DIGESTS_FILE, digests_text(digests).encode())
    return final


def _packed(samples: Sequence[Sample]) -> tuple[bytes, tuple[Reason, ...]]:
    """Return the samples' file, or the reason why there is none: that costs a run its samples and nothing else."""
    if not samples:
        return b"", ()
    try:
        return parquet_of(samples), ()
    except Exception as error:  # noqa: BLE001 (a library that fails in any way must not cost a run)
        return b"", (Reason(code="samples_not_stored", detail=f"{type(error).__name__}: {error}"[:200]),)


def _rescue(record: Record, samples: Sequence[Sample]) -> Path | None:
    """Write a result to the first folder outside the store that takes it and return its path; None if none does."""
    for folder in second_folders():
        try:
            return _write_folder(folder, record, samples)
        except UnflushedError:
            return folder / record.id
        except (OSError, InputError, RunFailedError):
            with contextlib.suppress(OSError):
                folder.rmdir()  # if it is empty
    return None


def _json(record: Record) -> bytes:
    """Return a record as JSON, with an escape for each character that no text of a result holds."""
    return Record.model_validate(encodable(record.model_dump())).model_dump_json(indent=2).encode() + b"\n"


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)  # new_folder flushes it before the folder gets its name
