"""The functions that open files, by their source: those of users are opened by one function."""

import ast
from pathlib import Path

import bench
import hardware_profiles
import sites

OPENING = frozenset({"open", "read_text", "read_bytes", "read_table", "read_schema", "fromfile"})
OF_USERS = {"hardware_profiles/opening.py:open_input"}
OF_THE_SYSTEM = {  # in /proc and /sys
    "bench/endpoint/load/worker.py:_waited_s", "bench/machine/environment.py:_read",
    "bench/machine/identity.py:boot_id", "bench/machine/identity.py:machine_key",
    "bench/machine/profile.py:_packages", "bench/machine/sysfs.py:read", "bench/measure/audit/cpu.py:_settings.read",
    "bench/measure/audit/cpu.py:_throttle_count", "bench/meters/kinds/hwmon/sensors.py:Sensor.read",
    "bench/meters/kinds/rapl/dies.py:ZoneCounter.read_uj", "bench/meters/kinds/rapl/meter.py:Rapl._counter",
    "bench/meters/kinds/rapl/meter.py:_max_power_w", "bench/meters/system_files.py:read_text",
    "bench/twin/servers/serving.py:_allowed", "sites/memory.py:_container", "sites/memory.py:_machine",
}  # fmt: skip
OF_THE_PACKAGE = {
    "bench/cli/lab/schema.py:schema",
    "bench/cli/site/command.py:schema", "bench/report/page.py:_asset", "bench/results/schema.py:_published",
    "hardware_profiles/catalog.py:_recorded", "hardware_profiles/catalog.py:digests",
    "sites/backtest/reports.py:bundled_reports", "sites/jit.py:compiled_digest",
    "sites/market/bitcoin.py:bundled_epochs", "sites/market/published_market.py:_figures",
    "sites/market/published_rates.py:published_figures", "sites/planners/stored_inputs.py:difficulty_sha256",
    "sites/planners/stored_inputs.py:inputs_sha256", "sites/plausible/bands.py:band_file",
    "sites/plausible/zones.py:_rows", "sites/scenarios/cluster/shards.py:code_digest",
}  # fmt: skip
FOLDERS_AND_LOCKS = {  # by descriptors that follow no link
    "bench/lab/host/layout.py:take_lock", "bench/lab/run/locks.py:_locked",
    "bench/control/log/audit.py:AuditLog._opened", "bench/live/server.py:_Page.__init__",
    "bench/results/labs/ledger.py:Ledger._locked",
    "bench/machine/locks.py:_Folder._create", "bench/machine/locks.py:_Folder._open",
    "bench/machine/locks.py:_descriptor", "bench/results/layout.py:make_private",
    "sites/plots/library.py:_import_from_another_folder",
}  # fmt: skip
OF_RESULTS = {"bench/results/integrity/digests.py:file_digest"}
WRITERS = {
    "sites/files.py:_write_through", "sites/files.py:flush", "sites/files.py:write_file", "sites/files.py:write_new",
    "sites/planners/pypsa_folder.py:_rows",  # a CSV in memory or in a folder that is not yet named
}  # fmt: skip
OF_JOBS = {  # in the folder of a lab's job: its log, its reserve of room, and what is sent and received
    "bench/lab/collect/tar.py:BundleReader.copy",
    "bench/lab/host/bundle.py:write_bundle", "bench/lab/host/jobs.py:_make_folder", "bench/lab/host/keeper.py:_keep",
    "bench/lab/host/keeper.py:_last_line", "bench/lab/host/sealing.py:_shorten",
}  # fmt: skip
DEV_NULL = {
    "bench/cli/__init__.py:_fail", "bench/cli/__init__.py:_prepare", "bench/endpoint/tiny/server.py:main",
}  # fmt: skip
IN_MEMORY = {"sites/parquet.py:schema_of"}
OF_AN_ARCHIVE = {"sites/feeds/files/source.py:_member"}  # whose file is open
ALLOWED = (
    OF_USERS | OF_THE_SYSTEM | OF_THE_PACKAGE | FOLDERS_AND_LOCKS | WRITERS | OF_JOBS | OF_RESULTS
    | DEV_NULL | IN_MEMORY | OF_AN_ARCHIVE
)  # fmt: skip


def is_opening(call):
    """Return whether a call opens a file; readers of perwatt have a plain name, and a meter's open() no argument."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id == "open"
    if not isinstance(function, ast.Attribute):
        return False
    if isinstance(function.value, ast.Name) and function.value.id in {"tabular", "GpuContext", "Book"}:
        return False
    return function.attr in OPENING and (function.attr != "open" or bool(call.args or call.keywords))


def openers(node, names=()):
    """Return the names of the functions below a node that open files."""
    found = set()
    for child in ast.iter_child_nodes(node):
        is_named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if isinstance(child, ast.Call) and is_opening(child):
            found.add(".".join(names))
        found |= openers(child, (*names, child.name) if is_named else names)
    return found


def test_only_listed_functions_open_files():
    found = set()
    for package in (bench, hardware_profiles, sites):
        root = Path(package.__file__).parent
        for path in root.rglob("*.py"):
            place = path.relative_to(root.parent).as_posix()
            found |= {f"{place}:{name}" for name in openers(ast.parse(path.read_text(encoding="utf-8")))}
    assert found == ALLOWED
