"""Result folders: written completely or not at all, read with every fault named, never edited."""

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import RunFailedError, not_written
from bench.results.layout import RECORD_FILE, SAMPLES_FILE, TEMPORARY_PREFIX, file_fault, file_sum, result_names
from bench.results.record import Artifact, Record
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.reading import validate

if TYPE_CHECKING:
    import pyarrow as pa


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
    """Return a record id that sorts by time and does not collide: `<UTC>-<workload>-<4 hex>`."""
    return f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{workload}-{secrets.token_hex(2)}"


def prepare_store(store: Path) -> None:
    """Make the results folder and check that it can be written, before a run spends minutes.

    Raises
    ------
    InputError
        The path or a parent is a file, or the folder is not writable.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        blocker = next((path for path in (store, *store.parents) if path.exists() and not path.is_dir()), store)
        raise InputError(f"--out: expected a folder that can be made, got {blocker}, which is a file") from None
    except OSError as error:
        raise InputError(f"--out: expected a writable folder, got {store}: {error.strerror}") from None
    if not os.access(store, os.W_OK | os.X_OK):
        raise InputError(f"--out: expected a writable folder, got {store}, which is read-only")


def write_record(store: Path, record: Record, samples: Sequence[Sample]) -> Path:
    """Write a record and its samples as the folder `store/<id>` and return it.

    A reader sees the folder completely or not at all: it is filled under a temporary name, flushed and renamed. After
    an error the temporary folder is removed and nothing else has changed, unless the error says that the result exists.

    Raises
    ------
    RunFailedError
        The system refused (disk full, permission), or a result of this id exists.
    """
    from sites.files import new_folder

    final = store / record.id
    if final.exists():
        raise RunFailedError(f"{final}: a result of this id exists, and results are never overwritten")
    try:
        with new_folder(final, f"{TEMPORARY_PREFIX}{record.id}-") as folder:
            artifacts: tuple[Artifact, ...] = ()
            if samples:
                _write(folder / SAMPLES_FILE, _parquet(samples))
                artifacts = (_describe(folder / SAMPLES_FILE),)
            complete = record.model_copy(update={"artifacts": artifacts})
            _write(folder / RECORD_FILE, complete.model_dump_json(indent=2).encode() + b"\n")
    except (OSError, InputError) as error:
        raise not_written(getattr(error, "filename", None) or final, error) from error
    return final


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
        return parquet.read_table(path)
    except FileNotFoundError:
        raise InputError.at(folder, expected=SAMPLES_FILE, got="none") from None
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: expected Parquet samples, got a corrupt file: {error}") from None


def _parquet(samples: Sequence[Sample]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {name: [getattr(sample, name) for sample in samples] for name in Sample.__slots__}
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)  # new_folder flushes it before the folder gets its name


def _describe(path: Path) -> Artifact:
    sha256, size_bytes = file_sum(path)
    return Artifact(name=path.name, sha256=sha256, size_bytes=size_bytes)
