"""What a person asks of a controller that may be at work: to go on after a halt."""

import json
from pathlib import Path

from bench.errors import not_written
from hardware_profiles.errors import InputError
from hardware_profiles.opening import MIB, Kind, is_there, read_input

RESUME_FILE = "resume.json"
RESUME = Kind("request to resume", MIB, stdin=False)
LONGEST_NAME = 200


def resume(folder: Path, by: str) -> None:
    """Ask the controller of a folder, or the next one there, to go on after a halt.

    Raises
    ------
    RunFailedError
        The disk refuses it.
    """
    from sites.files import write_file

    try:
        write_file(folder / RESUME_FILE, json.dumps({"by": by}).encode() + b"\n")
    except OSError as error:
        raise not_written(folder / RESUME_FILE, error) from None


def taken(folder: Path) -> str:
    """Return who asks to go on, and remove the request; an empty text if nobody does."""
    path = folder / RESUME_FILE
    if not is_there(path):
        return ""
    try:
        by = str(json.loads(read_input(path, RESUME))["by"])[:LONGEST_NAME]
    except (InputError, ValueError, KeyError, TypeError):
        by = ""
    path.unlink(missing_ok=True)
    return by
