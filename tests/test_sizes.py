"""No folder and no file of the code grows beyond what a reader can keep in view."""

import collections
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("bench", "hardware_profiles", "kernels", "sites", "tests", "docs", ".ci")
MOST_FILES = 14  # Python files in a folder
MOST_LINES = 300

SOURCES = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]


def test_no_folder_has_more_than_14_python_files():
    files = collections.Counter(path.parent.relative_to(ROOT).as_posix() for path in SOURCES)
    assert "bench/machine" in files
    assert {folder: count for folder, count in files.items() if count > MOST_FILES} == {}


def test_no_python_file_has_more_than_300_lines():
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
