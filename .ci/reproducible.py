"""The proof that the wheel is reproducible: built here and from a copy elsewhere with other dates, it is the same."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("bench", "hardware_profiles", "kernels", "sites", "LICENSE", "README.md", "pyproject.toml", ".gitignore")
LATER_S = 1_700_000_000


def build(root: Path, target: Path) -> tuple[str, str]:
    """Return the name of the wheel of a source folder and the SHA-256 of its bytes."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)  # noqa: S603
    (wheel,) = target.glob("*.whl")
    return wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest()


def main() -> None:
    """Build twice, print the sum, and exit with 1 if the bytes differ."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "elsewhere")
        copy.mkdir()
        for name in SOURCES:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
        for path in copy.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
            os.utime(path, (LATER_S, LATER_S))
        here, there = build(ROOT, Path(folder, "here")), build(copy, Path(folder, "there"))
    if here != there:
        sys.exit(f"the wheel is not reproducible: {here} here, {there} from a copy")
    print(f"{here[1]}  {here[0]}")  # noqa: T201


if __name__ == "__main__":
    main()
