"""Reading of result folders, with every fault named; a record that was changed or makes no sense is not returned."""

import os
from pathlib import Path

from bench.results.integrity.digests import digests_text, record_digests, record_digests_fault
from bench.results.integrity.sense import sense_fault
from bench.results.layout import RECORD, RECORD_FILE, file_fault, is_result_path, result_names
from bench.results.record import Record
from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.opening import is_file, read_input
from hardware_profiles.reading import validate


def read_record(folder: Path) -> Record:
    """Return the record of a result folder.

    Raises
    ------
    InputError
        The folder is missing, its JSON unreadable, corrupt or changed after it was written, or a key wrong or missing.
    """
    return read_signable(folder)[0]


def read_signable(folder: Path) -> tuple[Record, bytes]:
    """Return the record of a result folder and the text that its signature covers, both from one reading.

    With a second reading, another record could be put in the place of the signed one in between.

    Raises
    ------
    InputError
        As `read_record`.
    """
    path = folder / RECORD_FILE
    if not os.path.lexists(path):
        got = "a file" if is_file(folder) else "none"
        raise InputError(f"{folder}: expected a result folder with a {RECORD_FILE}, got {got}")
    content = read_input(path, RECORD)
    data = parse_json(content, path, "the JSON of a result")
    if not isinstance(data, dict):
        raise InputError.at(path, expected="a JSON object", got=data)
    record = validate(Record, data, path)
    if fault := sense_fault(data, content, path) or record_digests_fault(folder, content, data):
        raise InputError(fault)
    return record, digests_text(record_digests(content, data)).encode()


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
    return read_whole_signable(folder)[0]


def read_whole_signable(folder: Path) -> tuple[Record, bytes]:
    """Return the record of a result folder and the text that its signature covers, after a check of all its files.

    Raises
    ------
    InputError
        As `read_whole`.
    """
    record, text = read_signable(folder)
    for fault in artifact_faults(folder, record).values():
        raise InputError(fault)
    return record, text


def find_result(store: Path, name: str) -> Path:
    """Return the folder of a result named by id, by an unambiguous beginning of it, by path, or `latest:<workload>`.

    Raises
    ------
    InputError
        No result has this name, several have, or the path is not readable.
    """
    if is_result_path(name):
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
