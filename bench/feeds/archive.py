"""The folder of raw answers, to which fetches only add: answers by time and hash, and a record if they are good."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError
from hardware_profiles.opening import JSON, Kind, is_folder, read_input
from sites.files import write_new

SCHEMA = "perwatt.fetched/1"
RAW = Kind("raw answer", 64 * 2**20, stdin=False)
DIGITS = 12  # of the SHA-256 in a file's name
MOST_SEARCHED = 100  # fetches that are looked at for the last good one
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_RECORD = re.compile(r"(?P<stamp>[0-9]{8}T[0-9]{6}\.[0-9]{6}Z)-fetch\.json")


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answers of one fetch."""

    time_s: float  # [s, unix] when it began
    url: str  # of the source, without credentials
    files: Mapping[str, Path]  # by the name of the answer

    def answers(self) -> dict[str, bytes]:
        """Return the raw answers by name; raise InputError if a file is missing or is no longer what was stored."""
        return {name: _unchanged(path) for name, path in self.files.items()}


class Archive:
    """The folder of one source."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, time_s: float, name: str, suffix: str, body: bytes) -> Path:
        """Write one raw answer to a new file, and return its path."""
        path = self.folder / f"{_stamp(time_s)}-{name}-{sha256(body).hexdigest()[:DIGITS]}.{suffix}"
        write_new(path, body)
        return path

    def record(self, fetched: Fetched) -> None:
        """Write the record of a fetch whose answers are good; without one, a fetch does not count."""
        document = {
            "schema": SCHEMA,
            "url": fetched.url,
            "fetched_at_utc": datetime.fromtimestamp(fetched.time_s, UTC).isoformat(),
            "answers": {name: path.name for name, path in fetched.files.items()},
        }
        content = json.dumps(document, indent=1).encode() + b"\n"
        write_new(self.folder / f"{_stamp(fetched.time_s)}-fetch.json", content)

    def newest_first(self) -> Iterator[Fetched]:
        """Yield the recorded fetches, at most a hundred, the newest first; a record that is damaged is left out."""
        if not is_folder(self.folder):
            return
        names = (match for path in self.folder.iterdir() if (match := _RECORD.fullmatch(path.name)))
        for match in islice(sorted(names, key=lambda each: each["stamp"], reverse=True), MOST_SEARCHED):
            try:
                yield self._read(match)
            except (InputError, KeyError, TypeError, AttributeError):
                continue

    def _read(self, match: re.Match[str]) -> Fetched:
        path = self.folder / match[0]
        document: dict[str, Any] = parse_json(read_input(path, JSON), path, "the record of a fetch")
        time_s = datetime.strptime(match["stamp"], _STAMP).replace(tzinfo=UTC).timestamp()
        files = {name: self.folder / Path(file).name for name, file in document["answers"].items()}
        return Fetched(time_s, str(document["url"]), files)


def _stamp(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime(_STAMP)


def _unchanged(path: Path) -> bytes:
    body = read_input(path, RAW)
    stated = path.stem.rpartition("-")[2]
    if sha256(body).hexdigest()[:DIGITS] != stated:
        raise InputError(f"{path}: expected the answer that was stored (SHA-256 {stated}…), got another content")
    return body
