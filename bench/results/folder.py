"""Result folders: written completely or not at all, read with every fault named, never edited."""

import contextlib
import itertools
import json
import secrets
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_core import PydanticSerializationError

from bench.errors import RunFailedError, not_written
from bench.results.layout import (
    RECORD_FILE,
    SAMPLES_FILE,
    TEMPORARY_PREFIX,
    file_fault,
    file_sum,
    result_names,
    second_folders,
)
from bench.results.record import Artifact, Record
from bench.results.text import encodable
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.reading import validate
from sites.files import UnflushedError, flush, new_folder

if TYPE_CHECKING:
    import pyarrow as pa

_numbers = itertools.count(secrets.randbits(32))
_WRITERS = 16  # threads that write many results; nearly all of the time is that of flushing
_TRIAL_BYTES = 2**20  # [byte] more than most results take


@dataclass(frozen=True, slots=True)
class Sample:
    """One raw sample, a row of samples.parquet."""

    series: str  # `work`, or the name of the meter
    window: int  # index of the window, -1 outside any
    t_s: float  # [s] monotonic clock of the run
    t_end_s: float  # [s] equal to t_s for an instant
    utc_s: float  # [s] Unix time of t_s
    value: float  # in `unit`
    unit: str


def new_id(workload: str, started: datetime) -> str:
    """Return a record id that sorts by time: `<UTC>-<workload>-<8 hex>`.

    The digits count up from a random start, so that no two ids of a process are equal and those of two processes
    hardly ever.
    """
    return f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{workload}-{next(_numbers) % 2**32:08x}"


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
        a name that is too long, a folder that cannot be flushed.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
        can_flush = _rehearse(store)
    except (FileExistsError, NotADirectoryError):
        blocker = next((path for path in (store, *store.parents) if path.exists() and not path.is_dir()), store)
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
    if final.exists():
        raise RunFailedError(f"{final}: a result of this id exists, and results are never overwritten")
    with new_folder(final, f"{TEMPORARY_PREFIX}{record.id}-") as folder:
        artifacts: tuple[Artifact, ...] = ()
        if samples:
            _write(folder / SAMPLES_FILE, _parquet(samples))
            artifacts = (_describe(folder / SAMPLES_FILE),)
        complete = record.model_copy(update={"artifacts": artifacts})
        _write(folder / RECORD_FILE, _json(complete))
    return final


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


def read_record(folder: Path) -> Record:
    """Return the record of a result folder.

    Raises
    ------
    InputError
        The folder is missing, its JSON unreadable or corrupt, or a key wrong or missing.
    """
    path = folder / RECORD_FILE
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{folder}: expected a result folder with a {RECORD_FILE}, got none") from None
    except NotADirectoryError:
        raise InputError.at(folder, expected="a result folder", got="a file") from None
    except OSError as error:
        raise InputError.at(path, expected="a readable file", got=error.strerror) from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path}: expected the JSON of a result, got a corrupt file: {error}") from None
    if not isinstance(data, dict):
        raise InputError.at(path, expected="a JSON object", got=data)
    return validate(Record, data, path)


def artifact_faults(folder: Path, record: Record) -> dict[str, str]:
    """Return the faults of the files that a record names, by name: missing, or changed after they were written."""
    faults = {one.name: file_fault(folder / one.name, one.sha256, one.size_bytes) for one in record.artifacts}
    return {name: fault for name, fault in faults.items() if fault}


def read_whole(folder: Path) -> Record:
    """Return the record of a result folder after checking that its files are unchanged.

    Raises
    ------
    InputError
        As `read_record`, or a file is missing or was changed.
    """
    record = read_record(folder)
    for fault in artifact_faults(folder, record).values():
        raise InputError(fault)
    return record


def find_result(store: Path, name: str) -> Path:
    """Return the folder of a result named by id, by an unambiguous beginning of it, by path, or `latest:<workload>`.

    Raises
    ------
    InputError
        No result has this name, or several have.
    """
    if (Path(name) / RECORD_FILE).is_file():
        return Path(name)
    ids = result_names(store)
    if name in ids:
        return store / name
    if name.startswith("latest:"):
        workload = name.removeprefix("latest:")
        matches = [id_ for id_ in ids if f"-{workload}-" in id_][-1:]
    else:
        matches = [id_ for id_ in ids if id_.startswith(name)] if name else []
    if len(matches) == 1:
        return store / matches[0]
    if matches:
        more = ", …" if len(matches) > 3 else ""
        raise InputError(
            f"result {name!r}: expected one result, got {len(matches)} with this beginning: "
            f"{', '.join(matches[:3])}{more}"
        )
    fault = InputError.at(f"result in {store}", expected="a known id", got=name, near=near_names(name, ids))
    raise fault if ids else InputError(f"{fault}: the store is empty, `perwatt run` fills it")


def read_samples(folder: Path) -> "pa.Table":
    """Return the raw samples of a result folder as an Arrow table with the columns of `Sample`.

    Raises
    ------
    InputError
        The file is missing or is not Parquet.
    """
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / SAMPLES_FILE
    try:
        return parquet.read_table(pa.BufferReader(path.read_bytes()))  # pyarrow refuses a path that is not UTF-8
    except FileNotFoundError:
        raise InputError.at(folder, expected=SAMPLES_FILE, got="none") from None
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: expected Parquet samples, got a corrupt file: {error}") from None


def _parquet(samples: Sequence[Sample]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {name: [encodable(getattr(sample, name)) for sample in samples] for name in Sample.__slots__}
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _json(record: Record) -> bytes:
    try:
        return record.model_dump_json(indent=2).encode() + b"\n"
    except PydanticSerializationError:  # a text that is not UTF-8: an argument, a variable, the name of a process
        return Record.model_validate(encodable(record.model_dump())).model_dump_json(indent=2).encode() + b"\n"


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)  # new_folder flushes it before the folder gets its name


def _describe(path: Path) -> Artifact:
    sha256, size_bytes = file_sum(path)
    return Artifact(name=path.name, sha256=sha256, size_bytes=size_bytes)
