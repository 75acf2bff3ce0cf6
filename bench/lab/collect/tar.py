"""A strict reader of the tar that a host sends: plain files with plain names, one after the other, flat in memory.

Python's own reader would take links, devices, and headers of any size, which it holds in memory.
"""

import hashlib
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.lab.host.layout import (
    DESCRIPTION_FILE,
    END_FILE,
    JOB_FILE,
    LOG_FILE,
    MANIFEST_FILE,
    METER_FILE,
    RESULTS_FOLDER,
)  # fmt: skip
from bench.lab.reach.protocol import ByteStream
from bench.results.layout import RECORD, RECORD_FILE, SAMPLES
from hardware_profiles.errors import shown
from hardware_profiles.opening import MIB

_BLOCK_BYTES = tarfile.BLOCKSIZE
_CHUNK_BYTES = MIB
_SMALL_BYTES = 4 * MIB  # a manifest, a job, an ending, a log
_LONGEST_NAME = 200
_OF_JOB = {  # files beside the results, and the size at most [byte]
    JOB_FILE: _SMALL_BYTES, END_FILE: _SMALL_BYTES, LOG_FILE: _SMALL_BYTES, MANIFEST_FILE: _SMALL_BYTES,
    METER_FILE: 64 * MIB, DESCRIPTION_FILE: _SMALL_BYTES,
}  # fmt: skip
_PLAIN = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_MEMBER = re.compile(rf"(?P<job>[0-9a-f]{{16}})/(?P<path>(?:{RESULTS_FOLDER}/{_PLAIN}/)?(?P<file>{_PLAIN}))")


class BundleError(ValueError):
    """A bundle that perwatt does not write; `str()` says why. Nothing after it can be trusted."""


class Member(NamedTuple):
    """The header of a file in a bundle."""

    job: str  # id
    path: str  # within the folder of the job
    size_bytes: int


@dataclass(slots=True)
class BundleReader:
    """The files of a bundle, in its order."""

    stream: ByteStream
    rest: bytes = b""

    def members(self) -> Iterator[Member]:
        """Yield the header of each file; the caller reads the file with `copy` before the next one.

        Raises
        ------
        BundleError
            The stream is cut off or is no tar of plain files with plain names.
        """
        while True:
            block = self._exactly(_BLOCK_BYTES)
            if not block.strip(b"\0"):  # the end of the tar; what follows is padding
                return
            yield _member(block)

    def copy(self, member: Member, target: Path) -> str:
        """Write a file that does not exist yet, and return the SHA-256 digest of its content.

        Raises
        ------
        BundleError
            The file comes twice, or the stream is cut off.
        OSError
            The system refuses.
        """
        digest, left = hashlib.sha256(), member.size_bytes
        try:
            file = target.open("xb")
        except FileExistsError:
            raise BundleError(f"{member.path} comes twice") from None
        with file:
            while left:
                content = self._some(min(left, _CHUNK_BYTES))
                digest.update(content)
                file.write(content)
                left -= len(content)
        self._exactly(-member.size_bytes % _BLOCK_BYTES)
        return digest.hexdigest()

    def _some(self, size: int) -> bytes:
        if not self.rest:
            self.rest = self.stream.read(_CHUNK_BYTES)
            if not self.rest:
                raise BundleError("it is cut off")
        content, self.rest = self.rest[:size], self.rest[size:]
        return content

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            parts.append(self._some(size))
            size -= len(parts[-1])
        return b"".join(parts)


def _member(block: bytes) -> Member:
    try:
        header = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.HeaderError, ValueError):
        raise BundleError("it is no tar") from None
    if header.type != tarfile.REGTYPE:
        raise BundleError(f"{shown(header.name)} is a link or another special file")
    match = _MEMBER.fullmatch(header.name)
    if match is None or len(header.name) > _LONGEST_NAME:
        raise BundleError(f"{shown(header.name)} is no file of a job")
    if "/" in match["path"]:
        limit = RECORD.limit_bytes if match["file"] == RECORD_FILE else SAMPLES.limit_bytes
    elif match["file"] in _OF_JOB:
        limit = _OF_JOB[match["file"]]
    else:
        raise BundleError(f"{shown(header.name)} is no file of a job")
    if not 0 <= header.size <= limit:
        raise BundleError(f"{match['path']} has {header.size} bytes, at most {limit} are taken")
    return Member(match["job"], match["path"], header.size)
