"""The journal of a pool that was set, written and flushed before the first write: no crash loses the former pool.

It stands in the user's state folder, readable for the user only, and holds no password.
"""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.errors import not_written
from bench.miners.pools import Snapshot
from bench.miners.pools.writes import Target
from bench.results.layout import make_private, state_folder
from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError
from hardware_profiles.opening import Kind, read_input

JOURNAL = Kind("journal of a pool", 2**20, stdin=False)
_SCHEMA = "perwatt.pool-journal/1"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a restore needs."""

    host: str  # as the user named the miner
    family: str
    target: Target
    before: Snapshot


class Journal:
    """The journal of one miner.

    Parameters
    ----------
    host
        The miner as the user names it, `HOST` or `HOST:PORT`.

    Raises
    ------
    InputError
        The user has no folder for it.
    """

    def __init__(self, host: str) -> None:
        folder = state_folder()
        if folder is None:
            raise InputError.at("--set-pool", expected="a home folder or XDG_STATE_HOME, where its journal stands")
        self.host = host.casefold()
        self.path = folder / "miners" / f"{re.sub(r'[^a-z0-9.-]+', '_', self.host)}.json"

    def write(self, entry: Entry) -> None:
        """Write the journal and flush it to the disk; nothing may be written to the miner before.

        Raises
        ------
        InputError
            There is a journal already: an earlier run was killed. Or the folder belongs to another user.
        RunFailedError
            The disk refuses it.
        """
        from sites.files import write_new

        if self.path.exists():
            raise InputError(
                f"--set-pool: the pool of {self.host} was set before and not brought back: first run "
                f"`perwatt miner restore {self.host}`"
            )
        try:
            make_private(self.path.parent, "--set-pool")
            write_new(self.path, json.dumps({"schema": _SCHEMA, **asdict(entry)}, indent=2).encode() + b"\n")
        except OSError as error:
            raise not_written(self.path, error) from None

    def read(self) -> Entry:
        """Return what was written.

        Raises
        ------
        InputError
            There is no journal of this miner, or it is damaged.
        """
        if not self.path.exists():
            known = sorted(path.stem for path in self.path.parent.glob("*.json"))
            others = f"; there are journals of {', '.join(known)}" if known else ""
            raise InputError(f"perwatt miner restore: no pool of {self.host} is to be brought back{others}")
        return _entry(parse_json(read_input(self.path, JOURNAL), self.path, JOURNAL.name), self.path)

    def remove(self) -> None:
        """Remove the journal, once the former pool is back."""
        self.path.unlink(missing_ok=True)


def _entry(document: Any, path: Path) -> Entry:
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
        raise InputError.at(path, "schema", expected=_SCHEMA)
    target, before = document.get("target"), document.get("before")
    if not isinstance(before, dict) or not isinstance(target, dict) or target.keys() != {"host", "port", "user"}:
        raise InputError.at(path, expected="the keys target and before of a journal", got=", ".join(document))
    if [type(value) for value in (target["host"], target["port"], target["user"])] != [str, int, str]:
        raise InputError.at(path, "target", expected="a host, a port and a user", got=target)
    return Entry(str(document.get("host")), str(document.get("family")), Target(**target), before)
