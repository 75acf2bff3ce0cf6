"""The modules that open files, by their source: those of users are opened by one module."""

import ast
from pathlib import Path

import bench
import hardware_profiles
import sites

OPENING = frozenset({"open", "read_text", "read_bytes", "read_table", "read_schema", "fromfile"})
OPENERS = {"hardware_profiles/opening.py"}
SYSTEM = {  # read /proc and /sys
    "bench/machine/environment.py", "bench/machine/identity.py", "bench/machine/profile.py", "bench/machine/sysfs.py",
    "bench/measure/audit/cpu.py", "bench/meters/kinds/hwmon/sensors.py", "bench/meters/kinds/rapl/dies.py",
    "bench/meters/kinds/rapl/meter.py", "bench/meters/system_files.py", "sites/memory.py",
}  # fmt: skip
PACKAGE_DATA = {  # read files of the installed packages
    "bench/cli/site/command.py", "bench/report/page.py", "bench/results/schema.py", "hardware_profiles/catalog.py",
    "sites/backtest/reports.py", "sites/jit.py", "sites/market/bitcoin.py", "sites/market/published_market.py",
    "sites/market/published_rates.py", "sites/planners/stored_inputs.py", "sites/plausible/bands.py",
    "sites/plausible/zones.py", "sites/scenarios/dask_shards.py",
}  # fmt: skip
WRITERS = {"bench/cli/__init__.py", "sites/files.py", "sites/planners/pypsa_folder.py"}
LOCKS = {"bench/machine/locks.py"}  # lock files, by descriptors that follow no links
STORE = {"bench/report/sections/provenance.py"}  # reads a record of a results folder again
OTHERS = {  # read bytes in memory, or methods of other classes that have such a name
    "sites/changes.py", "sites/file/series.py", "bench/meters/check.py", "bench/meters/group/sums.py",
    "bench/meters/registry.py",
}  # fmt: skip
ALLOWED = OPENERS | SYSTEM | PACKAGE_DATA | WRITERS | LOCKS | STORE | OTHERS


def opens(path):
    """Return whether a module calls something that opens a file, except the readers of perwatt by their plain name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            function = node.func
            owner = function.value if isinstance(function, ast.Attribute) else None
            if isinstance(owner, ast.Name) and owner.id in {"tabular", "GpuContext"}:
                continue
            named = function.attr if isinstance(function, ast.Attribute) else ""
            if named in OPENING and (named != "open" or node.args or node.keywords):  # a meter's open() has none
                return True
            if isinstance(function, ast.Name) and function.id == "open":
                return True
    return False


def test_only_listed_modules_open_files():
    found = set()
    for package in (bench, hardware_profiles, sites):
        root = Path(package.__file__).parent
        found |= {path.relative_to(root.parent).as_posix() for path in root.rglob("*.py") if opens(path)}
    assert found - ALLOWED == set()
