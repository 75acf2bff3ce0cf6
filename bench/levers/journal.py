"""The journal of devices as found, one file a device, on the disk before anybody's first command to it.

It stands in the user's state folder, readable for the user only, and holds no password. A file is removed only when the
device shows its former setting again, so whatever ends a program, what it changed is listed and can be brought back.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from bench.credentials import is_secret_name
from bench.errors import RunFailedError, not_written
from bench.levers.protocol import Setting
from bench.machine.locks import UnsafeError, hold_in
from bench.results.layout import make_private, state_folder
from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError
from hardware_profiles.opening import Kind, read_input

JOURNAL = Kind("journal of a device", 2**20, stdin=False)
_SCHEMA = "perwatt.lever-journal/1"
_PLACE = "perwatt levers"
_TEXTS = ("lever", "address", "who", "at")


@dataclass(frozen=True, slots=True)
class Device:
    """A device and the way to it."""

    lever: str  # name of the lever
    address: str
    options: Mapping[str, str] = field(default_factory=dict)  # of the lever; a file or variable, never a password
    identity: str | None = None  # MAC, serial number or UUID that it shows; None if it shows none

    @property
    def key(self) -> str:
        """What tells this device from every other, by whatever lever or address it is reached."""
        return (self.identity or f"{self.lever}:{self.address}").casefold()

    def __str__(self) -> str:
        """Return the device as commands name it."""
        return f"{self.lever}:{self.address}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A device as it was found."""

    device: Device
    setting: Setting  # what a restore needs
    level: str | None  # that the device showed; None if it did not say
    who: str  # the work that sets it, such as "control SITE" or "sweep gpu_power:0"
    at: str  # time of the look, UTC


class Journal:
    """The devices that one piece of work sets; no other process can do the same work meanwhile.

    Parameters
    ----------
    who
        The work. One that was killed and is started again under the same name goes on with the devices as the first
        process found them.
    clock
        Unix time [s].

    Raises
    ------
    InputError
        The work is done by another process, or the user has no private folder.
    """

    def __init__(self, who: str, clock: Callable[[], float] = time.time) -> None:
        self.who, self._clock = who, clock
        self.folder = _made_folder()
        self._stack = ExitStack()
        try:
            free = self._stack.enter_context(hold_in(self.folder, _lock_name(who)))
        except UnsafeError as error:
            raise InputError(f"{_PLACE}: {self.folder}: {error}") from None
        if not free:
            self.close()
            raise InputError(f"{who}: expected no other process that does the same work, got one that runs")

    def __enter__(self) -> Self:
        """Return the journal."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let other processes do the work; what was not brought back stays listed."""
        self.close()

    def close(self) -> None:
        """Let other processes do the work; what was not brought back stays listed."""
        self._stack.close()

    def hold(self, device: Device, setting: Setting, level: str | None) -> Entry:
        """Write a device as found and flush it to the disk; nothing may be sent to it before.

        Parameters
        ----------
        device
            The device.
        setting
            What a restore needs.
        level
            Level that the device shows.

        Returns
        -------
        Entry
            The entry that stands: this one, or what an earlier process of the same work found.

        Raises
        ------
        InputError
            Another piece of work sets the device, or was killed and did not bring it back.
        RunFailedError
            The disk refuses it.
        """
        from sites.files import write_new

        _refuse_secrets(setting)
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
        entry, path = Entry(device, setting, level, self.who, at), self.path(device)
        content = json.dumps({"schema": _SCHEMA, **asdict(entry)}, indent=2, allow_nan=False).encode() + b"\n"
        try:
            write_new(path, content)
        except InputError:
            standing = self.standing(device)
            if standing is None:
                raise
            return standing
        except OSError as error:
            raise not_written(path, error) from None
        return entry

    def standing(self, device: Device) -> Entry | None:
        """Return the entry of a device that this work set and did not bring back; None if there is none.

        Raises
        ------
        InputError
            The entry is of other work.
        """
        path = self.path(device)
        if not path.exists():
            return None
        entry = read_entry(path)
        if entry.who != self.who:
            raise InputError(
                f"{device}: expected a device that nobody else sets, got one that {entry.who} set at {entry.at} and "
                f"did not bring back; if that has ended, run `perwatt levers restore {entry.device}`"
            )
        return entry

    def mine(self) -> list[Entry]:
        """Return the devices that this work has not brought back, also those of a process of it that was killed."""
        return [entry for entry in pending() if entry.who == self.who]

    def remove(self, device: Device) -> None:
        """Remove the entry of a device, once it was seen that its former setting is back."""
        self.path(device).unlink(missing_ok=True)

    def path(self, device: Device) -> Path:
        """Return the file of a device."""
        return self.folder / f"{_readable(device.key)}.json"


def journal_folder() -> Path:
    """Return the folder of the journals, in the user's state.

    Raises
    ------
    InputError
        The user has no folder for it.
    """
    state = state_folder()
    if state is None:
        raise InputError.at(_PLACE, expected="a home folder or XDG_STATE_HOME, where the journals of devices stand")
    return state / "levers"


def pending(on_fault: Callable[[str], None] = lambda _: None) -> list[Entry]:
    """Return every device of this user that was set and not brought back, oldest first.

    Parameters
    ----------
    on_fault
        Gets a line for each file that is damaged.
    """
    entries: list[Entry] = []
    if state_folder() is None:  # nothing could be written
        return entries
    for path in sorted(journal_folder().glob("*.json")):
        try:
            entries.append(read_entry(path))
        except InputError as error:
            if path.exists():  # not one that was brought back meanwhile
                on_fault(str(error))
    return sorted(entries, key=lambda entry: (entry.at, entry.device.key))


def is_running(who: str) -> bool:
    """Return whether a process does this work now."""
    try:
        with hold_in(journal_folder(), _lock_name(who)) as free:
            return not free
    except UnsafeError:  # no folder yet
        return False


def read_entry(path: Path) -> Entry:
    """Return what was written.

    Raises
    ------
    InputError
        The file is missing or damaged.
    """
    document = parse_json(read_input(path, JOURNAL), path, JOURNAL.name)
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
        raise InputError.at(path, "schema", expected=_SCHEMA)
    device, setting = document.get("device"), document.get("setting")
    if not isinstance(device, dict) or not isinstance(device.get("options"), dict) or not isinstance(setting, dict):
        raise InputError.at(path, expected="the keys device and setting of a journal", got=", ".join(document))
    for key in _TEXTS:
        value = device.get(key) if key in device else document.get(key)
        if not isinstance(value, str):
            raise InputError.at(path, key, expected="text", got=value)
    for key, value in (("identity", device.get("identity")), ("level", document.get("level"))):
        if not isinstance(value, str | None):
            raise InputError.at(path, key, expected="text", got=value)
    options = {str(key): str(value) for key, value in device["options"].items()}
    reached = Device(device["lever"], device["address"], options, device.get("identity"))
    return Entry(reached, setting, document.get("level"), document["who"], document["at"])


def _made_folder() -> Path:
    folder = journal_folder()
    try:
        make_private(folder, _PLACE)
    except OSError as error:
        raise not_written(folder, error) from None
    return folder


def _refuse_secrets(value: Any, path: str = "setting") -> None:
    """Refuse a setting that would write a password to the disk.

    Raises
    ------
    RunFailedError
        A key of it names a secret.
    """
    for key, inner in value.items() if isinstance(value, Mapping) else ():
        if is_secret_name(str(key)):
            raise RunFailedError(f"{path}.{key}: a password is not written to the journal: nothing was set")
        _refuse_secrets(inner, f"{path}.{key}")


def _lock_name(who: str) -> str:
    return f"{_readable(who)}.lock"


def _readable(key: str) -> str:
    """Return a key as a file name: its letters and digits for people, a digest that no other key shares."""
    return f"{re.sub(r'[^A-Za-z0-9.-]+', '_', key)[:60]}-{sha256(key.encode()).hexdigest()[:12]}"
