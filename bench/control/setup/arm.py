"""The arm file: who may command which units, how much, and until when. What does not fit leaves the site in shadow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bench.control.decision.terms import Permit
from bench.control.setup.file import ArmFile
from bench.network.node_sets import expand
from hardware_profiles.reading import read_toml, validate

if TYPE_CHECKING:
    from pathlib import Path

    from bench.control.setup.read import Controlled

LONGEST_DAYS = 30
DAY_S = 86_400.0
W_PER_MW = 1e6


class Armed(NamedTuple):
    """What an arm file comes to."""

    permit: Permit | None  # None: the site stays in shadow
    expires_s: float | None  # [s, Unix]
    reason: str  # in a line, why it is in shadow; empty if it is armed


def read_arm(path: Path, controlled: Controlled, site: str, now_s: float) -> Armed:
    """Return what an arm file permits at a time.

    Parameters
    ----------
    path
        The arm file.
    controlled
        The control file.
    site
        Name of the site.
    now_s
        The time [s, Unix].

    Raises
    ------
    InputError
        The file is not readable, or a key of it is faulty.
    """
    file = validate(ArmFile, read_toml(path), path)
    units = frozenset(
        name for index, text in enumerate(file.units) for name in expand(text, f"{path}: key units[{index}]")
    )
    expires_s = file.expires.timestamp()
    reason = _mismatch(file, units, controlled, site) or _time(expires_s, now_s)
    if reason:
        return Armed(None, None, f"{path}: {reason}")
    return Armed(Permit(units, file.maximum_mw * W_PER_MW), expires_s, "")


def _mismatch(file: ArmFile, units: frozenset[str], controlled: Controlled, site: str) -> str:
    if file.site != site:
        return f"it arms site {file.site!r}, not {site!r}"
    if file.control_sha256 != controlled.sha256:
        return f"it arms another content of {controlled.path.name}, whose SHA-256 is now {controlled.sha256}"
    unknown = sorted(units - controlled.units.keys())
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        return f"it arms units that {controlled.path.name} does not have: {unknown[0]}{more}"
    if controlled.feeder is None:
        return f"{controlled.path.name} has no [feeder] whose meter verifies what is done"
    return ""


def _time(expires_s: float, now_s: float) -> str:
    if expires_s <= now_s:
        return "it has expired"
    if expires_s - now_s > LONGEST_DAYS * DAY_S:
        return f"it expires more than {LONGEST_DAYS} days from now"
    return ""
