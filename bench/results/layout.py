"""The layout of a results folder on disk: names of its files and folders, and checks of a file against its digest."""

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from hardware_profiles.errors import InputError
from hardware_profiles.opening import MIB, Kind, file_kind, is_folder, open_input

STORE = Path("results")
"""Results folder that every command uses by default."""
RECORD_FILE = "result.json"
SAMPLES_FILE = "samples.parquet"
LABS = "labs"
"""Folder of a results folder that holds the books of lab runs and no results."""
CONTROL = "control"
"""Folder of a results folder that holds the audit logs of controlled sites and no results."""
TEMPORARY_PREFIX = ".tmp-"
RECORD = Kind("record", 16 * MIB, stdin=False)  # one of a long run takes 1 MiB
SAMPLES = Kind("file of samples", 1024 * MIB, stdin=False)
DIGESTS = Kind("file of digests", MIB // 16, stdin=False)
_NO_PATH = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
"""Errors of a path that does not exist."""


def result_names(store: Path, on_fault: Callable[[str], None] = lambda _: None) -> list[str]:
    """Return the names of the complete result folders of a store, oldest first; none if there is no store.

    Files and the folders of lab runs and of control are no results and are passed over. `on_fault` gets a line for each
    entry that is neither a folder nor a file.

    Raises
    ------
    InputError
        The store is a file, or is not readable.
    """
    try:
        with os.scandir(store) as entries:
            return sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.name not in {LABS, CONTROL} and _is_folder(entry, on_fault)
            )
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        raise InputError(f"{store}: expected a results folder, got a file") from None
    except OSError as error:
        raise InputError(f"{store}: expected a readable results folder, got {error.strerror}") from None


def _is_folder(entry: os.DirEntry[str], on_fault: Callable[[str], None]) -> bool:
    try:
        if entry.is_dir():
            return True
        mode = entry.stat().st_mode
    except OSError as error:
        got = "a link to nothing" if isinstance(error, FileNotFoundError) else error.strerror
    else:
        if stat.S_ISREG(mode):
            return False
        got = file_kind(mode)
    on_fault(f"{entry.path}: expected a result folder, got {got}")
    return False


def is_result_path(name: str) -> bool:
    """Return whether a name is the path of a result folder.

    Raises
    ------
    InputError
        The path exists but is not readable.
    """
    path = Path(name) / RECORD_FILE
    try:
        path.stat()
    except ValueError:  # a NUL byte
        return False
    except OSError as error:
        if error.errno in _NO_PATH:
            return False
        raise InputError(f"{path}: expected a readable file, got {error.strerror}") from None
    return True


def result_folders(store: Path) -> Iterator[Path]:
    """Yield the complete result folders of a store, oldest first.

    Raises
    ------
    InputError
        As `result_names`.
    """
    for name in result_names(store):
        yield store / name


def unfinished_folders(store: Path) -> list[Path]:
    """Return the temporary folders that killed runs left in a store."""
    return sorted(store.glob(f"{TEMPORARY_PREFIX}*")) if is_folder(store) else []


def state_folder() -> Path | None:
    """Return the folder of perwatt in the user's state (XDG); None without a home."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        try:
            state = Path("~/.local/state").expanduser()
        except RuntimeError:
            return None
    return state / "perwatt"


def make_private(folder: Path, place: str) -> None:
    """Make a folder that only this user can enter; whose files are readable for others does not matter then.

    A link is not followed, and a folder of another user is refused: root may have the variables of a user.

    Raises
    ------
    InputError
        The folder belongs to another user; `place` is the option or command, for the message.
    OSError
        The system refuses it, or it is not a folder.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise InputError(f"{place}: {folder}: expected a folder of your own, got one of another user")
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def rescued_folder() -> Path | None:
    """Return the folder for results that their store refused, in the user's state (XDG); None without a home."""
    state = state_folder()
    return None if state is None else state / "rescued"


def second_folders() -> Iterator[Path]:
    """Yield the folders to try for a result that could not be written to its store; the last is a temporary one."""
    folder = rescued_folder()
    if folder is not None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            folder = None
    if folder is not None:
        yield folder
    try:
        yield Path(tempfile.mkdtemp(prefix="perwatt-rescued-"))
    except OSError:
        return


def file_fault(path: Path, sha256: str, size_bytes: int) -> str:
    """Return the fault of a result's file (missing, or changed after it was written), or an empty text."""
    if not os.path.lexists(path):
        return f"{path}: expected the file that {RECORD_FILE} names, got none: it is missing"
    try:
        with open_input(path, SAMPLES) as file:  # in pieces: samples may take a gigabyte
            now, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
    except InputError as fault:
        return str(fault)
    except OSError as error:
        return f"{path}: expected a readable {SAMPLES.name}, got {error.strerror or error}"
    if (now, size) == (sha256, size_bytes):
        return ""
    return f"{path}: expected {size_bytes} bytes of sha256 {sha256[:12]}…, got {size} of {now[:12]}…: it was changed"
