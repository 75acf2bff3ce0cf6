"""The site that a command of control names: its file, its plan, and the folders of its logs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from sites.control.plan import Plan
    from sites.model import Site

ARMED, SHADOW = "armed", "shadow"


def read_site(name: str) -> Site:
    """Return the one site of a site file.

    Raises
    ------
    InputError
        The file is faulty, or it is a fleet.
    """
    from bench.device_rates import resolve_device
    from sites.examples import site_path
    from sites.file.inputs import read_inputs

    read = read_inputs(site_path(name), resolve_device)
    if len(read) != 1:
        raise InputError.at(name, expected="one site, because each is controlled by itself", got=f"{len(read)} sites")
    return read[0][1]


def control_path(name: str, stated: Path | None) -> Path:
    """Return the control file of a site file."""
    from sites.examples import site_path

    return stated if stated is not None else site_path(name).with_suffix(".control.toml")


def plan_of_year(site: Site, now_s: float, apart: str = "") -> Plan:
    """Return the plan of a site's year.

    Parameters
    ----------
    site
        The site.
    now_s
        The time [s, Unix].
    apart
        The site file, to make the plan in a process of its own, whose memory is free again afterwards; empty to make
        it here.

    Raises
    ------
    InputError
        The time is not within that year.
    """
    plan = (_made_apart(apart) if apart else None) or year_plan(site)
    if plan.step_at(now_s) is None:
        start, end, now = (_moment(at_s) for at_s in (plan.start_s, plan.end_s, now_s))
        raise InputError(
            f"{site.name}: key site.start: expected a year that has begun and not ended, got {start} to {end} "
            f"(now it is {now})"
        )
    return plan


def year_plan(site: Site) -> Plan:
    """Return the plan of a site's year, whatever the time is."""
    from sites.control.planned import plan_of
    from sites.dispatch.year import site_year

    return plan_of(site_year(site, hourly=True))


_MAKE = """
import sys
from bench.cli.control.sites import read_site, year_plan
sys.stdout.buffer.write(year_plan(read_site(sys.argv[1])).to_json())
"""


def _made_apart(name: str) -> Plan | None:
    """Return the plan that another process makes; None if it fails, because this one then says why."""
    from subprocess import CalledProcessError

    from bench.machine.processes import run_python
    from sites.control.plan import plan_from_json

    try:
        return plan_from_json(run_python(_MAKE, name, variables={}).encode())
    except (CalledProcessError, InputError):
        return None


def _moment(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"


def site_folder(store: Path, site: Site) -> Path:
    """Return the folder of a site's logs."""
    from bench.results.layout import CONTROL
    from sites.files import slug

    return store / CONTROL / slug(site.name)


def folder_in_use(store: Path, site: Site) -> Path:
    """Return the folder of the log that was written last.

    Raises
    ------
    InputError
        The site was never under control.
    """
    from bench.control.log.audit import AUDIT_FILE

    folders = [site_folder(store, site) / mode for mode in (ARMED, SHADOW)]
    logs = [folder / AUDIT_FILE for folder in folders if (folder / AUDIT_FILE).exists()]
    if not logs:
        raise InputError(f"{site_folder(store, site)}: expected a log of this site; `perwatt control SITE` writes one")
    return max(logs, key=lambda path: path.stat().st_mtime).parent
