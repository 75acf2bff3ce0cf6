"""The digests of a result's files, stored with the result in the format that `sha256sum -c` checks."""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.results.layout import DIGESTS, RECORD_FILE
from hardware_profiles.errors import InputError
from hardware_profiles.opening import read_input

DIGESTS_FILE = "SHA256SUMS"
_LINE = re.compile(rb"^([0-9a-f]{64})  ([A-Za-z0-9._-]+)$", re.MULTILINE)


def digest(content: bytes) -> str:
    """Return the SHA-256 digest of a file's content as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 digest of a file of any size as hexadecimal digits.

    Raises
    ------
    OSError
        It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests_text(digests: Mapping[str, str]) -> str:
    """Return the content of the file of digests, from the digest of each file by name."""
    return "".join(f"{sha256}  {name}\n" for name, sha256 in digests.items())


def record_digests(content: bytes, data: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests that a result's signature covers, by the names of its files: what SHA256SUMS must hold.

    Parameters
    ----------
    content
        The bytes of its result.json.
    data
        The same as JSON data that the schema accepts.
    """
    return {RECORD_FILE: digest(content), **{one["name"]: one["sha256"] for one in data.get("artifacts", ())}}


def _digests_fault(folder: Path | str, digests: Mapping[str, str], *, named: bool) -> str:
    """Return the fault of a result's file of digests, or an empty text.

    Parameters
    ----------
    folder
        The result folder.
    digests
        Digest of each file by name: that of result.json as it was read, and those that result.json states.
    named
        Whether the record names its file of digests. Older records have none.
    """
    path = Path(folder) / DIGESTS_FILE
    if not os.path.lexists(path):
        return f"{path}: expected the digests that the result was written with, got none: it is missing" * named
    try:
        content = read_input(path, DIGESTS)
    except InputError as fault:
        return str(fault)
    if content == digests_text(digests).encode():
        return ""
    stored = {name.decode(): sha256.decode() for sha256, name in _LINE.findall(content)}
    changed = next((name for name in digests if stored.get(name) != digests[name]), None)
    if changed is None or changed not in stored:
        return f"{path}: expected one line of `sha256sum` for each of {', '.join(digests)}, got another content"
    return (
        f"{folder}/{changed}: expected sha256 {stored[changed][:12]}… of {DIGESTS_FILE}, "
        f"got {digests[changed][:12]}…: it was changed"
    )


def record_digests_fault(folder: Path | str, content: bytes, data: Mapping[str, Any]) -> str:
    """Return the fault of the digests of a result, or an empty text.

    Parameters
    ----------
    folder
        The result folder.
    content
        The bytes of its result.json.
    data
        The same as JSON data that the schema accepts.
    """
    return _digests_fault(folder, record_digests(content, data), named=data.get("digests_file") is not None)
