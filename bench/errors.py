"""The error of a run that could not end well."""

import os


class RunFailedError(RuntimeError):
    """A run that had started could not end well; `str()` is the line that the user sees."""


def not_written(target: object, error: Exception) -> RunFailedError:
    """Return the error of a file or folder that could not be written; it says whether the target exists now."""
    from sites.files import UnflushedError

    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    if isinstance(error, UnflushedError):
        return RunFailedError(
            f"{target}: was written, but its folder could not be flushed to the disk: {reason}; a crash of the machine "
            "may lose it"
        )
    return RunFailedError(f"{target}: could not be written: {reason}; nothing was written")
