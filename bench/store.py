"""Where results lie: names of files and folders of a store, without what it takes to read one."""

import os
from collections.abc import Iterator
from pathlib import Path

RECORD_FILE = "result.json"
SAMPLES_FILE = "samples.parquet"
TEMPORARY_PREFIX = ".tmp-"


def result_folders(store: Path) -> Iterator[Path]:
    """Yield the whole result folders of a store, oldest first; temporary ones are not results."""
    try:
        entries = sorted(entry.name for entry in os.scandir(store) if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in entries:
        if not name.startswith("."):
            yield store / name


def unfinished_folders(store: Path) -> list[Path]:
    """Return the temporary folders that killed runs left in a store."""
    return sorted(store.glob(f"{TEMPORARY_PREFIX}*")) if store.is_dir() else []
