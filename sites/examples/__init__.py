"""Example sites bundled with perwatt; each value says where it comes from, or is printed as an assumption."""

from __future__ import annotations

from pathlib import Path

from hardware_profiles.errors import InputError, near_names

MAIN_JOB = "georgia-50mw-half-gpu"


def example_names() -> list[str]:
    """Names of the bundled example sites."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.toml"))


def example_path(name: str = MAIN_JOB) -> Path:
    """File of a bundled example site; the main job's when no name is given."""
    if name not in example_names():
        raise InputError.at("example site", expected="a bundled one", got=name, near=near_names(name, example_names()))
    return Path(__file__).parent / f"{name}.toml"


def capital_path(given: str) -> Path:
    """Return the file of a plan that a person means: a path, or the name of a bundled one."""
    path = Path(given)
    if path.suffix == ".toml" or "/" in given or path.exists():
        return path
    known = sorted(found.stem for found in (Path(__file__).parent / "capital").glob("*.toml"))
    if given not in known:
        raise InputError.at("capital plan", expected="a bundled one", got=given, near=near_names(given, known) or known)
    return Path(__file__).parent / "capital" / f"{given}.toml"


def site_path(given: str) -> Path:
    """Find the file that a person means: a path, or the name of a bundled example where no such file exists."""
    path = Path(given)
    if path.suffix or "/" in given or path.exists():
        return path
    return example_path(given)
