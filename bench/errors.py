"""The error of a run that could not end well."""

import os
import shlex
from pathlib import Path


class RunFailedError(RuntimeError):
    """A run that had started could not end well; `str()` is the line that the user sees."""

    code = "run_failed"  # its reason code


def not_written(
    target: object, error: Exception, rescued: Path | None = None, store: Path | None = None
) -> RunFailedError:
    """Return the error of a file or folder that could not be written; it says what exists now.

    Parameters
    ----------
    target
        Path that could not be written.
    error
        Error of the system.
    rescued
        Folder of the result that was written in its place.
    store
        Results folder to which the user can bring it back.
    """
    from sites.files import PartlyWrittenError, UnflushedError

    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    if isinstance(error, UnflushedError):
        return RunFailedError(
            f"{target}: was written, but its folder could not be flushed to the disk: {reason}; a crash of the machine "
            "may lose it"
        )
    if isinstance(error, PartlyWrittenError):
        return RunFailedError(f"{target}: could not be written: {reason}; a part may have been written")
    if rescued is None or store is None:
        return RunFailedError(f"{target}: could not be written: {reason}; nothing was written")
    try:
        there = shell_word(Path(os.path.abspath(store)))  # noqa: PTH100 (resolve() would follow links)
    except OSError:  # the current folder was removed
        there = shell_word(store)
    return RunFailedError(
        f"{target}: could not be written: {reason}; the whole result is in {rescued}; bring it back with: "
        f"mkdir -p {there} && mv {shell_word(rescued)} {there}/"
    )


def shell_word(path: Path) -> str:
    """Return a path as one word of a shell; a name that is not UTF-8 has its bytes in bash's $'...' form."""
    raw = os.fsencode(path)
    try:
        return shlex.quote(raw.decode("utf-8"))
    except UnicodeDecodeError:
        plain = (chr(byte) if 0x20 <= byte < 0x7F and byte not in b"'\\" else f"\\x{byte:02x}" for byte in raw)
        return f"$'{''.join(plain)}'"
