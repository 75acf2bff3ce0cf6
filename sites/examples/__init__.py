"""Example sites and capital plans bundled with perwatt, and the look-up of files by path or by their names."""

from __future__ import annotations

from pathlib import Path

from hardware_profiles.errors import InputError, near_names
from hardware_profiles.opening import is_file, is_there

MAIN_JOB = "georgia-50mw-gpu-modules"


def example_names() -> list[str]:
    """Return the names of the bundled example sites."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.toml"))


def example_path(name: str = MAIN_JOB) -> Path:
    """Return the file of a bundled example site, by default that of the main job."""
    if name not in example_names():
        near = near_names(name, example_names())
        raise InputError.at("example site", expected="a path or the name of a bundled site", got=name, near=near)
    return Path(__file__).parent / f"{name}.toml"


def capital_path(name: str) -> Path:
    """Return the file of a capital plan from its path or the name of a bundled plan."""
    path = Path(name)
    if path.suffix == ".toml" or "/" in name or is_there(path):
        return path
    known = sorted(file.stem for file in (Path(__file__).parent / "capital").glob("*.toml"))
    if name not in known:
        near = near_names(name, known) or known
        raise InputError.at("capital plan", expected="a path or the name of a bundled plan", got=name, near=near)
    return Path(__file__).parent / "capital" / f"{name}.toml"


def site_of_plan(name: str, plan: Path, key: str = "site") -> Path:
    """Return the file of a site that a capital plan names: beside the plan, in the current folder, or an example.

    Parameters
    ----------
    plan
        File of the plan.
    key
        Key of the plan that has the name.

    Raises
    ------
    InputError
        There is no such site.
    """
    for file in (plan.parent / name, Path(name)):
        if is_file(file):
            return file
    known = example_names()
    if name not in known:
        expected = "a bundled example or a file beside the plan"
        raise InputError.at(plan, key, expected=expected, got=name, near=near_names(name, known))
    return example_path(name)


def site_path(name: str) -> Path:
    """Return the file of a site from its path or, if there is no such file, the name of a bundled example."""
    path = Path(name)
    if path.suffix or "/" in name or is_there(path):
        return path
    return example_path(name)
